#include <cmath>
#include <set>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/reduce/reduce.h"
#include "tasks/regression/regression.h"
#include "tasks/regression/regression_judge.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

constexpr int kRegressedCases = 20;

std::vector<RegressedCase> regressed() {
  std::vector<RegressedCase> out;
  for (int i = 0; i < kRegressedCases; ++i) out.push_back({i * 7 % 13 * 0.8 + i * 5 % 7 / 3.0 + 1, i * 7 % 13 + i / 4.0, 1 + i % 3 / 2.0});
  out[3].said = out[8].said;
  return out;
}

struct FixedOutputs {
  Tensor out = Tensor::from({0.5, std::log(4.0)}, {1, 2});
  FIELDS(out)
  Tensor operator()(const Tensor&) const { return out; }
};

// The mean of a patch, with a variance of 1.
struct MeanOfPatch {
  Tensor unused = Tensor::zeros({1});
  FIELDS(unused)
  Tensor operator()(const Tensor& x) const {
    std::vector<double> out;
    for (int64_t n = 0; n < x.dim(0); ++n) out.insert(out.end(), {mean(x.rows(n, n + 1)).item(), 0});
    return Tensor::from(out, {x.dim(0), 2});
  }
};

Dataset values_dataset(const std::vector<std::string>& targets, const char* key = "target") {
  Dataset d;
  for (auto& t : targets) {
    d.cases.push_back({.id = std::string(1, char('a' + d.cases.size())), .images = {"x.nii"}});
    d.cases.back().targets[key] = t;
  }
  return d;
}

Batch values_batch(const std::vector<double>& targets) {
  const int64_t n = int64_t(targets.size());
  return {Tensor::zeros({n, 1, 1, 1, 1}), {{"value", DataKind::values, Tensor::from(targets, {n, 1}, DType::f64)}}};
}

}  // namespace

// scikit-learn 1.9 (mean_absolute_error, root_mean_squared_error, r2_score), SciPy 1.17 (pearsonr, spearmanr, norm.logpdf), NumPy for the
// rest by its definition.
TEST_CASE("scores of values are scikit-learn's and SciPy's") {
  const RegressionJudge judge(regressed());
  const std::vector<double> s = judge.scores(std::vector<int>(kRegressedCases, 1));
  REQUIRE(s.size() == judge.keys().size());
  const double wanted[] = {2.0233333333333325,
                           2.2912575392371566,
                           0.6816939718148556,
                           0.9203599020962078,
                           0.9153817871865219,
                           0.8162737185724965,
                           -1.5316666666666667,
                           -4.958413193826723,
                           1.8950798604933894,
                           2.712602381074711,
                           0.75};
  for (size_t i = 0; i < s.size(); ++i) {
    INFO(judge.keys()[i]);
    CHECK(close(s[i], wanted[i], 1e-12));
  }
}

TEST_CASE("values that occur several times count so often, also in their ranks") {
  std::vector<int> counts;
  std::vector<RegressedCase> repeated;
  for (int i = 0; i < kRegressedCases; ++i) {
    counts.push_back(i * 5 % 4);
    repeated.insert(repeated.end(), size_t(counts.back()), regressed()[size_t(i)]);
  }
  const std::vector<double> a = RegressionJudge(regressed()).scores(counts);
  const std::vector<double> b = RegressionJudge(repeated).scores(std::vector<int>(repeated.size(), 1));
  for (size_t i = 0; i < a.size(); ++i) CHECK(close(a[i], b[i]));
}

TEST_CASE("scores of values that are not defined are no numbers") {
  const auto score = [](std::vector<RegressedCase> cases, RegressionJudge::Score s) {
    const std::vector<int> once(cases.size(), 1);
    return RegressionJudge(std::move(cases)).scores(once)[size_t(s)];
  };
  const std::vector<RegressedCase> constant = {{0.3, 0.1}, {0.2, 0.1}, {0.4, 0.1}};
  for (auto s : {RegressionJudge::r2, RegressionJudge::pearson, RegressionJudge::spearman}) CHECK(std::isnan(score(constant, s)));
  CHECK(score(constant, RegressionJudge::ccc) == 0);
  CHECK(std::isnan(score({{1, 2}}, RegressionJudge::upper_limit)));
  CHECK(score({{1, 2}}, RegressionJudge::mae) == 1);
  CHECK(RegressionJudge({{1, 2}}).keys().size() == 9);
  CHECK_THROWS_WITH(RegressionJudge({{1, 2, 1}, {1, 2, 0}}), Contains("1 of 2 cases"));
  CHECK_THROWS_WITH(RegressionJudge({{NAN, 2}}), Contains("not finite"));
}

TEST_CASE("the losses of a regression are PyTorch's") {
  const Tensor y = Tensor::from({0.5, 1.2, -0.4}, {3, 1}, DType::f64);
  const Batch batch = values_batch({0.0, 2.5, -0.5});
  const auto loss = [&](RegressionOptions o) { return Regression(o).loss({y}, batch).item(); };
  CHECK(close(loss({}), 0.65));
  // Of outputs in bf16 targets keep their digits.
  const Tensor half = Tensor::from({0.5, 1.0}, {2, 1}).to(DType::bf16);
  CHECK(close(Regression({}).loss({half}, values_batch({0.1, 2.3})).item(), (0.4 * 0.4 + 1.3 * 1.3) / 2, 1e-6));
  CHECK(close(loss({.loss = "l1"}), 0.6333333333333333));
  CHECK(close(loss({.loss = "huber", .huber_delta = 0.7}), 0.265));  // HuberLoss(delta=0.7)
  Tensor both = Tensor::from({0.5, -0.3, 1.2, 0.7, -0.4, 0.1}, {3, 2}, DType::f64);
  CHECK(close(Regression({.uncertainty = "gaussian", .beta = 0}).loss({both}, batch).item(), 0.28095703991364046));  // GaussianNLLLoss
  both.require_grad();
  const Tensor l = Regression({.uncertainty = "gaussian"}).loss({both}, batch);
  CHECK(close(l.item(), 0.3885259545461781));
  backward(l);
  const double wanted[] = {0.19363904045471383, 0.09504156929049784,  -0.30536483887810917,
                           0.03802411282810525, 0.031707647483357124, 0.17362646702183615};
  for (size_t i = 0; i < 6; ++i) CHECK(close(both.grad().values()[i], wanted[i]));
}

TEST_CASE("targets are standardised by the training cases, and results are in their units") {
  RegressionOptions o;
  CHECK(adapt_regression(o, values_dataset({"1", "2", "6"})));
  CHECK(o.values == std::vector<std::string>{"target"});
  CHECK(close(o.mean[0], 3));
  CHECK(close(o.std[0], std::sqrt(14 / 3.0)));
  CHECK(!adapt_regression(o, values_dataset({"10", "20"})));
  const Dataset d = values_dataset({R"({"age": 40, "volume": 3.5})", R"({"age": 60, "volume": 4.5})"}, "value");
  RegressionOptions two;
  CHECK(adapt_regression(two, d));
  CHECK(two.values == std::vector<std::string>{"age", "volume"});
  CHECK(Regression(two).outputs(d) == two.values);
  two.uncertainty = "gaussian";
  CHECK(Regression(two).outputs(d).at(3) == "log variance of volume");
  const auto fields = Regression(two).targets(d.cases[1], {}, {});
  CHECK(close(fields[0].data.values()[0], 1, 1e-6));
  CHECK(fields[1].data.values() == std::vector<double>{60, 4.5});
  RegressionOptions named{.values = {"age"}};
  CHECK(adapt_regression(named, values_dataset({"40", "50"}, "age")));
  CHECK(named.mean[0] == 45);
  const auto fails = [](RegressionOptions o, const Dataset& d) { adapt_regression(o, d); };
  CHECK_THROWS_WITH(fails({}, values_dataset({"1", "2"}, "age")), Contains("case a") && Contains("regression.values"));
  CHECK_THROWS_WITH(fails({.values = {"weight"}}, d), Contains("has no \"weight\""));
  CHECK_THROWS_WITH(fails({}, values_dataset({"1", "\"old\""})), Contains("case b") && Contains("old"));
  CHECK_THROWS_WITH(fails({}, values_dataset({"2", "2"})), Contains("nothing to learn"));
}

TEST_CASE("outputs of a network are standardised values and log variances") {
  const Network net(FixedOutputs(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  ModelDescription d;
  d.traits = net.traits(), d.patch = {1, 1, 1};
  const Regression task({.values = {"age"}, .uncertainty = "gaussian", .mean = {50}, .std = {10}});
  const Tensor image = Tensor::zeros({1, 1, 1, 1});
  const std::vector<double> said = task.predict(net, d, {.id = "x", .sample = sample_of(image)}, {}).at(0).data.values();
  CHECK(close(said[0], 55, 1e-5));
  CHECK(close(said[1], 20, 1e-5));
  const Json j = parse_json(task.apply({net, d}, {.image = image, .geometry = {}}, {}).json, "result");
  CHECK(close(j["values"]["age"].get<double>(), 55, 1e-5));
  CHECK(close(j["std"]["age"].get<double>(), 20, 1e-5));
  CHECK_THROWS_WITH(Regression({.values = {"age"}, .mean = {50}, .std = {10}}).predict(net, d, {.id = "x", .sample = sample_of(image)}, {}),
                    Contains("2 outputs for 1 values"));
}

TEST_CASE("of patches a regression says the mean, and the standard deviation of their mixture") {
  const Network net(MeanOfPatch(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  ModelDescription d;
  d.traits = net.traits(), d.patch = {1, 1, 2};
  const Tensor image = Tensor::from({0, 0, 4, 4}, {1, 1, 4, 1});  // three tiles: 0, 2 and 4
  RegressionOptions o{.values = {"age"}, .uncertainty = "gaussian", .image = {.input = "patch"}, .mean = {50}, .std = {10}};
  const std::vector<double> said = Regression(o).predict(net, d, {.id = "x", .sample = sample_of(image)}, {}).at(0).data.values();
  CHECK(close(said[0], 70, 1e-5));
  CHECK(close(said[1], 10 * std::sqrt(1 + 8 / 3.0), 1e-5));
  o.image.input = "center";
  CHECK(close(Regression(o).predict(net, d, {.id = "x", .sample = sample_of(image)}, {}).at(0).data.values()[1], 10, 1e-5));
  // Training sees patches anywhere, or the middle.
  Case c;
  c.places.size = {1, 10, 40};
  std::set<double> places[2];
  for (uint64_t i = 0; i < 200; ++i)
    for (const bool anywhere : {false, true}) {
      const ImageInput input{.input = anywhere ? "patch" : "whole", .shift = 0};
      places[anywhere].insert(Regression({.image = input}).centre(c, {1, 10, 4}, false, Rng(i))[2]);
    }
  CHECK(places[0] == std::set<double>{19.5});
  CHECK(places[1].size() > 20);
}

TEST_CASE("values are evaluated from JSON and from a table alike, with intervals, pictures and a comparison") {
  const TemporaryFolder folder;
  std::string table = "image,age\n", said = "case,age,std of age\n", other = "case,age\n";
  fs::create_directories(folder / "json");
  for (int i = 0; i < kRegressedCases; ++i) {
    const RegressedCase c = regressed()[size_t(i)];
    const std::string id = "c" + std::to_string(i), m = Json(c.said).dump(), s = Json(c.std).dump();
    write_volume(folder / (id + ".nii"), {Tensor::zeros({2, 2, 2, 1}), Affine::scaling({1, 1, 1})});
    table += id + ".nii," + Json(c.real).dump() + "\n";
    said += id + "," + m + "," + s + "\n";
    other += id + "," + std::to_string(i % 3) + "\n";
    write_text_file(folder / ("json/" + id + ".json"), R"({"values": {"age": )" + m + R"(}, "std": {"age": )" + s + "}}");
  }
  write_text_file(folder / "data.csv", table), write_text_file(folder / "said.csv", said), write_text_file(folder / "other.csv", other);
  const auto judged = [&](const char* predictions, EvaluateOptions o = {}) {
    return Regression({}).evaluate(folder / predictions, folder / "data.csv", o);
  };
  const Task::Evaluated e = judged("json", {.versus = folder / "other.csv", .resamples = 100, .curves = folder / "p"});
  const Json age = parse_json(e.json, "evaluation")["values"]["age"];
  CHECK(close(age["mae"].get<double>(), 2.0233333333333325));
  CHECK(close(age["coverage"].get<double>(), 0.75));
  CHECK(age["intervals"]["r2"]["low"].get<double>() < 0.6816);
  CHECK(age["versus"]["mae"]["better"] == "a");
  CHECK(fs::exists(folder / "p_predicted.png"));
  CHECK(fs::exists(folder / "p_bland_altman.png"));
  CHECK_THAT(e.csv, Contains("case,value,real,predicted,difference,std\nc0,age,0,1,1,1\n"));
  CHECK(judged("said.csv").table == judged("json").table);
  write_text_file(folder / "json/c3.json", R"({"values": {"weight": 3}})");
  CHECK_THROWS_WITH(judged("json"), Contains("c3.json: has no number \"age\""));
  write_text_file(folder / "json/c3.json", R"({"values": {"age": 3}, "std": {"age": -1}})");
  CHECK_THROWS_WITH(judged("json"), Contains("c3.json: the standard deviation of \"age\" is -1"));
}

TEST_CASE("a table of predicted values keeps the digits that tell cases apart") {
  const TemporaryFolder folder;
  Regression({}).write_summary(folder.path(), {});  // where every case has failed
  CHECK(folder.files() == 0);
  Regression({}).write_summary(folder.path(),
                               {{"a", R"({"values": {"volume": 1000000.25}})"}, {"b", R"({"values": {"volume": 1000001.5}})"}});
  CHECK(file_bytes(folder / "predictions.csv") == "case,volume\na,1000000.25\nb,1000001.5\n");
}

TEST_CASE("a case without a target says which numbers it has") {
  DatasetCase c{.id = "a", .images = {"a.nii"}, .targets = {{"age", "60"}, {"class", "\"ill\""}, {"height", "1.8"}}};
  CHECK_THAT(error_of([&] { values_of(c, {}, "t.csv"); }), Contains("its numbers are \"age\", \"height\""));
  c.targets = {};
  CHECK_THAT(error_of([&] { values_of(c, {}, "t.csv"); }), Contains("regression.values names others"));
}

TEST_CASE("values that are one and the same, or too far apart, are refused") {
  RegressionOptions o;  // a hundred times 0.1 is not 10
  CHECK_THAT(error_of([&] { adapt_regression(o, values_dataset(std::vector<std::string>(100, "0.1"))); }), Contains("is 0.1 in all cases"));
  o = {};
  CHECK_THAT(error_of([&] { adapt_regression(o, values_dataset({"1e200", "2e200"})); }), Contains("too far apart"));
}
