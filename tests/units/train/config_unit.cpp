#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "core/config/json_values.h"
#include "tests/catch.h"
#include "train/config.h"
#include "data/dataset.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("configuration: every key survives a round trip through JSON") {
  TrainConfig a;
  a.seed = 7;
  a.train.patch = {8, 16, 32};
  a.train.batch = 3;
  a.data.spacing = {1, 2, 3.5};
  a.augment.set({{"noise_sigma", {0.01, 0.5}}});
  TrainConfig b;
  apply_json(b, to_json(a), "copy");
  CHECK(to_json(b) == to_json(a));
  CHECK(b.train.patch == Int3{8, 16, 32});
  CHECK(to_json(b) != to_json(TrainConfig{}));
}

TEST_CASE("configuration: unknown keys are refused with the nearest known one") {
  TrainConfig c;
  CHECK_THROWS_WITH(apply_assignment(c, "train.bacth=4"), Contains("\"train.bacth\"") && Contains("\"train.batch\""));
  CHECK_THROWS_WITH(apply_json(c, Json::parse(R"({"network": {"base_feature": 8}})"), "my.json"),
                    Contains("my.json") && Contains("network.base_feature\"") && Contains("\"network.base_features\""));
}

TEST_CASE("configuration: values are checked, and a refused document changes nothing") {
  TrainConfig c;
  CHECK_THROWS_WITH(apply_assignment(c, "train.batch=0"), Contains("train.batch") && Contains("1"));
  CHECK_THROWS_WITH(apply_assignment(c, "train.batch=two"), Contains("an integer"));
  CHECK_THROWS_WITH(apply_assignment(c, "train.optimizer=adam"), Contains("adamw") && Contains("sgd"));
  CHECK_THROWS_WITH(apply_assignment(c, "train.patch=[8,8]"), Contains("three integers"));
  CHECK_THROWS_WITH(apply_assignment(c, "augment.noise_sigma=[0.5,0.1]"), Contains("[low, high]"));
  CHECK_THROWS_WITH(apply_assignment(c, "train.learning_rate"), Contains("key=value"));
  CHECK_THROWS_AS(apply_json(c, Json::parse(R"({"seed": 9, "train": {"batch": -1}})"), "x"), Error);
  CHECK(to_json(c) == to_json(TrainConfig{}));
}

TEST_CASE("configuration: --set takes JSON values and bare words") {
  TrainConfig c;
  apply_assignment(c, "train.optimizer=adamw");
  apply_assignment(c, "train.minutes=2.5");
  apply_assignment(c, "train.patch=[16,24,32]");
  CHECK(c.train.optimizer == "adamw");
  CHECK(c.train.minutes == 2.5);
  CHECK(c.train.patch == Int3{16, 24, 32});
}

TEST_CASE("configuration: every key has one line with its default and its meaning") {
  std::vector<std::string> names;
  const std::function<void(const Json&, const std::string&)> collect = [&](const Json& j, const std::string& prefix) {
    if (!j.is_object()) return names.push_back(prefix);
    for (auto& [name, value] : j.items()) collect(value, prefix.empty() ? name : prefix + "." + name);
  };
  collect(to_json(TrainConfig{}), "");
  CHECK(names.size() >= 45);
  std::istringstream text(describe_config());
  std::string line;
  for (const std::string& name : names) {
    CAPTURE(name);
    REQUIRE(std::getline(text, line));
    std::istringstream words(line);
    std::string key, value, word, meaning;
    words >> key >> value;
    while (words >> word) meaning += word + ' ';
    CHECK(key == name);
    CHECK_FALSE(Json::parse(value, nullptr, false).is_discarded());
    CHECK(meaning.size() >= 10);
  }
  CHECK_FALSE(std::getline(text, line));
}

TEST_CASE("configuration: f16 activations are refused, which would need a scaled loss") {
  TrainConfig c;
  CHECK_THROWS_WITH(apply_assignment(c, "train.dtype=f16"), Contains("train.dtype") && Contains("\"f16\"") && Contains("f32, bf16"));
  apply_assignment(c, "train.dtype=bf16");
  CHECK(c.train.dtype == "bf16");
}

TEST_CASE("split: the folds partition the cases, whatever their order") {
  std::vector<std::string> ids;
  for (int i = 0; i < 23; ++i) ids.push_back("case_" + std::to_string(i));
  std::vector<std::string> reversed(ids.rbegin(), ids.rend()), seen;
  for (int fold = 0; fold < 5; ++fold) {
    const Split s = split_cases(ids, fold, 5);
    CHECK(s.training.size() + s.validation.size() == 23);
    CHECK(s.validation == split_cases(reversed, fold, 5).validation);
    CHECK((s.validation.size() == 4 || s.validation.size() == 5));
    seen.insert(seen.end(), s.validation.begin(), s.validation.end());
  }
  std::sort(seen.begin(), seen.end());
  std::sort(ids.begin(), ids.end());
  CHECK(seen == ids);
  CHECK(split_cases(ids, 0, 1).validation.empty());
  CHECK_THROWS_WITH(split_cases(std::vector<std::string>{"a", "b"}, 0, 5), Contains("2 cases"));
}

TEST_CASE("split: cases of one patient are in one fold, and folds are about as large") {
  std::vector<DatasetCase> cases;
  for (int i = 0; i < 60; ++i) {
    DatasetCase c{.id = "case_" + std::to_string(i)};
    if (i < 40) c.targets["Patient_ID"] = i % 2 ? std::to_string(i / 4) : "\"" + std::to_string(i / 4) + "\"";  // four each
    cases.push_back(c);
  }
  CHECK(patient_of(cases[5]) == "1");
  CHECK(patient_of(cases[50]).empty());
  std::map<std::string, std::set<int>> folds;
  for (int fold = 0; fold < 5; ++fold) {
    const Split s = split_cases(cases, fold, 5);
    CHECK(s.training.size() + s.validation.size() == 60);
    CHECK((s.validation.size() >= 10 && s.validation.size() <= 15));
    for (const DatasetCase& c : cases)
      if (std::find(s.validation.begin(), s.validation.end(), c.id) != s.validation.end())
        folds[patient_of(c).empty() ? c.id : "patient " + patient_of(c)].insert(fold);
  }
  CHECK(folds.size() == 30);
  for (auto& [owner, of] : folds) CHECK(of.size() == 1);
  // Cases that are nobody's are dealt out as their names are.
  const std::vector<DatasetCase> others(cases.begin() + 40, cases.end());
  std::vector<std::string> ids;
  for (const DatasetCase& c : others) ids.push_back(c.id);
  for (int fold = 0; fold < 3; ++fold) CHECK(split_cases(others, fold, 3).validation == split_cases(ids, fold, 3).validation);
  CHECK_THROWS_WITH(split_cases(std::vector(cases.begin(), cases.begin() + 16), 0, 5), Contains("16 cases of 4 patients"));
}

TEST_CASE("configuration: what is planned brings its batch, unless that is set beside it, in whatever order") {
  TrainConfig c;
  apply_assignments(c, {"plan.configuration=3d_fullres"});
  CHECK(c.train.batch == 0);
  apply_assignments(c, {"plan.configuration=3d_fullres", "train.batch=5"});
  CHECK(c.train.batch == 5);
  TrainConfig other, again;
  apply_assignments(other, {"train.batch=3", "plan.configuration=2d"});
  CHECK(other.train.batch == 3);
  apply_json(again, to_json(other), "config.json");
  CHECK(to_json(again) == to_json(other));
  apply_assignments(other, {"plan.configuration=default"});
  CHECK(other.train.batch == 2);
  CHECK_THROWS_WITH(apply_assignment(c, "plan.configuration=3d"), Contains("3d_lowres"));
}

TEST_CASE("another network keeps what was set of the options that it has too, and nothing else of them") {
  TrainConfig c;
  apply_assignments(c, {"task=classification"});
  apply_assignments(c, {"network.depth=50", "network.shortcut=A"});
  apply_assignments(c, {"network.kind=densenet"});
  // Neither a depth that there is not, nor the other's usual number of channels.
  CHECK(network_options(c).to_json()["depth"] == 121);
  CHECK(network_options(c).to_json()["base_features"] == 0);
  apply_assignments(c, {"network.base_features=8"});
  apply_assignments(c, {"network.kind=convnext"});
  CHECK(network_options(c).to_json()["base_features"] == 8);
  TrainConfig untouched;
  apply_assignments(untouched, {"network.kind=resnet"});
  REQUIRE(network_options(untouched).to_json()["base_features"] == 64);
  apply_assignments(untouched, {"network.kind=densenet"});
  CHECK(network_options(untouched).to_json()["base_features"] == 0);
}

TEST_CASE("configuration: values per image are learned alike, but regression scales no image, whose size may be what is asked for") {
  for (const char* task : {"regression", "classification"}) {
    TrainConfig c;
    apply_assignments(c, {std::string("task=") + task});
    CHECK(c.train.epochs == 80);
    CHECK(c.train.steps == 5000);
    CHECK(c.train.average_weights == 0.99);
    CHECK(network_options(c).to_json()["base_features"] == 32);
    const Json all = to_json(c)["augment"];
    CHECK(all["order"] == Json({"spatial", "mirror"}));
    CHECK(all["mirror"] == 0);
    CHECK(all["rotation_degrees"] == 15);
    CHECK(all["scaling"] == (task == std::string("regression") ? 0 : 0.5));
  }
  TrainConfig before;  // whose network starts theirs
  apply_assignments(before, {"task=contrastive"});
  CHECK(network_options(before).to_json()["base_features"] == 32);
  CHECK(before.train.steps == 5000);
}

TEST_CASE("configuration: what a task has its own network start from is not for another network") {
  TrainConfig c;
  apply_assignments(c, {"task=classification"});
  CHECK(network_options(c).to_json()["base_features"] == 32);
  apply_assignments(c, {"network.kind=densenet"});
  CHECK(network_options(c).to_json()["base_features"] == 0);  // its own
  TrainConfig set;
  apply_assignments(set, {"task=classification", "network.base_features=24"});
  apply_assignments(set, {"network.kind=densenet"});
  CHECK(network_options(set).to_json()["base_features"] == 24);
}
