#include <algorithm>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/classification/classification.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Six cases of two classes in a table, of which e and f test.
class Judged {
 public:
  Judged() {
    std::string table = "image,label,split\n";
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
      write_volume(folder_ / (std::string(id) + ".nii"), {Tensor::zeros({2, 2, 2, 1}), Affine::scaling({1, 1, 1})});
      table += std::string(id) + ".nii," + (id[0] < 'c' ? "ill" : "well") + (id[0] < 'e' ? ",train\n" : ",test\n");
    }
    write_text_file(folder_ / "data.csv", table);
    fs::create_directories(folder_ / "json");
  }
  fs::path operator/(const char* name) const { return folder_ / name; }
  void say(const char* folder, const std::string& id, double well) const {
    fs::create_directories(folder_ / folder);
    write_text_file(folder_ / folder / (id + ".json"),
                    Json{{"class", well > 0.5 ? "well" : "ill"}, {"probabilities", {{"ill", 1 - well}, {"well", well}}}}.dump());
  }
  Task::Evaluated judged(const char* predictions, EvaluateOptions o = {}) const {
    return Classification({}).evaluate(folder_ / predictions, folder_ / "data.csv", o);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("classes are evaluated from JSON of each case, from predictions.csv and from a table alike") {
  const Judged j;
  const double well[4] = {0.1, 0.6, 0.4, 0.9};
  std::string table = "case,class,ill,well\n";
  for (int i = 0; i < 4; ++i) {
    const std::string id(1, char('a' + i));
    j.say("json", id, well[i]);
    table += id + "," + (well[i] > 0.5 ? "well" : "ill") + "," + std::to_string(1 - well[i]) + "," + std::to_string(well[i]) + "\n";
  }
  fs::create_directories(j / "folder");
  write_text_file(j / "folder/predictions.csv", table);
  write_text_file(j / "table.csv", table);
  const Task::Evaluated e = j.judged("json", {.resamples = 50, .curves = j / "curves"});
  const Json json = parse_json(e.json, "evaluation");
  CHECK(json["cases"] == 4);
  CHECK(json["auc"] == 0.75);
  CHECK(json["accuracy"] == 0.5);
  CHECK(json["confusion"] == Json::parse("[[1,1],[1,1]]"));
  CHECK(json["sensitivity"] == 0.5);
  CHECK(json["f1"]["well"] == 0.5);
  CHECK(json["per_class"]["ill"]["cases"] == 2);
  CHECK(json["per_class"]["well"]["youden"]["threshold"] == 0.9);
  CHECK(json["intervals"]["auc"]["low"].get<double>() <= 0.75);
  CHECK_THAT(e.table, Contains("4 cases") && Contains("AUC                0.7500  ") && Contains(" to "));
  CHECK_THAT(e.csv, Contains("case,truth,predicted,right,p ill,p well,nll\na,ill,ill,1,0.9,0.1,0.105360516\n"));
  for (const char* name : {"curves_roc.png", "curves_pr.png", "curves_calibration.png", "curves_confusion.png"})
    CHECK(fs::exists(j / name));
  CHECK(j.judged("folder").table == j.judged("json").table);
  CHECK(j.judged("table.csv").table == j.judged("json").table);
  CHECK(parse_json(j.judged("json", {.threshold = 0.35}).json, "evaluation")["sensitivity"] == 1);
}

TEST_CASE("a part of the data set is evaluated as a whole, or partially where that is asked for") {
  const Judged j;
  for (const char* id : {"a", "b", "d"}) j.say("json", id, 0.3);
  CHECK_THROWS_WITH(j.judged("json"), Contains("no result of c;") && Contains("--partial"));
  CHECK(parse_json(j.judged("json", {.partial = true}).json, "evaluation")["cases"] == 3);
  j.say("json", "c", 0.3);
  CHECK(parse_json(j.judged("json").json, "evaluation")["cases"] == 4);  // e and f are another part
  j.say("json", "e", 0.3);
  CHECK_THROWS_WITH(j.judged("json"), Contains("no result of f;"));
  j.say("json", "x", 0.3);
  CHECK_THROWS_WITH(j.judged("json", {.partial = true}), Contains("no case x"));
}

TEST_CASE("what is no prediction of classes is refused by its file") {
  const Judged j;
  CHECK_THROWS_WITH(j.judged("json"), Contains("holds no results"));
  const auto error = [&](const std::string& text) {
    write_text_file(j / "json/a.json", text);
    try {
      j.judged("json", {.partial = true});
    } catch (const Error& e) { return std::string(e.what()); }
    return std::string();
  };
  CHECK_THAT(error("[1]"), Contains("a.json") && Contains("no object"));
  CHECK_THAT(error(R"({"probabilities": 3})"), Contains("a.json"));
  CHECK_THAT(error(R"({"probabilities": {"ill": 1}})"), Contains("a.json: has no probability of well"));
  CHECK_THAT(error(R"({"probabilities": {"ill": 1.5, "well": 0}})"), Contains("1.5"));
  CHECK_THAT(error(R"({"class": "dead", "probabilities": {"ill": 1, "well": 0}})"), Contains("the class dead"));
  write_text_file(j / "twice.csv", "case,ill,well\na,1,0\na,1,0\n");
  CHECK_THROWS_WITH(j.judged("twice.csv"), Contains("occurs twice"));
  write_text_file(j / "nameless.csv", "ill,well\n1,0\n");
  CHECK_THROWS_WITH(j.judged("nameless.csv"), Contains("no column \"case\""));
}

TEST_CASE("two classifiers are compared on the same samples of the cases") {
  const Judged j;
  const double good[4] = {0.1, 0.2, 0.8, 0.9}, bad[4] = {0.9, 0.2, 0.1, 0.6};
  for (int i = 0; i < 4; ++i) {
    j.say("good", std::string(1, char('a' + i)), good[i]);
    j.say("bad", std::string(1, char('a' + i)), bad[i]);
  }
  const Json versus = parse_json(j.judged("good", {.versus = j / "bad", .resamples = 200}).json, "evaluation")["versus"];
  CHECK(versus["auc"]["a"] == 1);
  CHECK(versus["auc"]["b"] == 0.25);
  CHECK(versus["auc"]["difference"] == 0.75);
  CHECK(versus["auc"]["undefined"].get<int>() > 0);
  CHECK(versus["accuracy"]["difference"] == 0.5);
  CHECK(versus["accuracy"]["low"] == 0);
  // A classifier against itself: no sample differs, which a comparison of unlike samples would.
  const Json same = parse_json(j.judged("bad", {.versus = j / "bad", .resamples = 200}).json, "evaluation")["versus"];
  CHECK(same["auc"]["low"] == 0);
  CHECK(same["auc"]["high"] == 0);
  CHECK(same["auc"]["better"] == "");
  j.say("more", "a", 0.5);
  CHECK_THROWS_WITH(j.judged("good", {.partial = true, .versus = j / "more"}), Contains("not the same cases"));
}

TEST_CASE("a set of cases without one of every class is evaluated by the classes of the results") {
  const TemporaryFolder folder;
  std::string table = "image,label,split\n";
  for (const char* id : {"a", "b", "c"}) {
    write_volume(folder / (std::string(id) + ".nii"), {Tensor::zeros({2, 2, 2, 1}), {}});
    table += std::string(id) + ".nii," + (id[0] == 'c' ? "9" : "2") + ",test\n";
    const Json p = {{"10", 0.6 - 0.1 * (id[0] == 'b')}, {"2", 0.3}, {"9", 0.1 + 0.1 * (id[0] == 'b')}};
    fs::create_directories(folder / "said");
    write_json(folder / "said" / (std::string(id) + ".json"), Json{{"class", "10"}, {"probabilities", p}});
  }
  write_text_file(folder / "few.csv", table);
  const Json json = parse_json(Classification({}).evaluate(folder / "said", folder / "few.csv", {}).json, "evaluation");
  CHECK(json["classes"] == Json({"2", "9", "10"}));  // and not by their letters
  CHECK(json["accuracy"] == 0);
  CHECK(json["confusion"] == Json({{0, 0, 2}, {0, 0, 1}, {0, 0, 0}}));
  CHECK(json["per_class"]["10"]["cases"] == 0);
}

TEST_CASE("classes that look like numbers are names in a table of results as well, whose probabilities keep their digits") {
  const TemporaryFolder folder;
  for (const char* id : {"a", "b"}) write_volume(folder / (std::string(id) + ".nii"), {Tensor::zeros({2, 2, 2, 1}), {}});
  write_text_file(folder / "data.csv", "image,label\na.nii,1.50\nb.nii,+2\n");
  write_text_file(folder / "said.csv", "case,class,1.50,+2\na,1.50,.75,.25\nb,+2,0.5,0.5\n");
  CHECK(parse_json(Classification({}).evaluate(folder / "said.csv", folder / "data.csv", {}).json, "evaluation")["accuracy"] == 1);
  const Json rare = {{"class", "no"}, {"probabilities", {{"no", 1 - 1.25e-6}, {"yes", 1.25e-6}}}};
  Classification({}).write_summary(folder.path(), {{"a", rare.dump()}});
  CHECK(file_bytes(folder / "predictions.csv") == "case,class,no,yes\na,no,0.99999875,1.25e-06\n");
}
