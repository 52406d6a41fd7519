#include "infer/weights/weight_rules.h"

#include "core/config/json_values.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
std::vector<WeightRule> rules(const char* text) { return weight_rules(Json::parse(text), "rules"); }
std::vector<std::string> stars_of(const char* pattern, const std::string& name) {
  std::vector<std::string> stars;
  return fits(pattern, name, stars) ? stars : std::vector<std::string>{"does not fit"};
}
using Words = std::vector<std::string>;
}  // namespace

TEST_CASE("patterns of names: one star within points, two across them") {
  CHECK(stars_of("a.*.b", "a.12.b") == Words{"12"});
  CHECK(stars_of("a.*.b", "a.1.2.b") == Words{"does not fit"});
  CHECK(stars_of("a.**.b", "a.1.2.b") == Words{"1.2"});
  CHECK(stars_of("a.*", "a.") == Words{"does not fit"});
  CHECK(stars_of("a", "a") == Words{});
  CHECK(stars_of("a", "ab") == Words{"does not fit"});
  CHECK(stars_of("**.*.w", "x.y.z.w") == Words{"x.y", "z"});
  // Many ways to fit nothing take no time.
  CHECK(stars_of("**a**a**a**a**a**a**a**a**b", std::string(450, 'a')) == Words{"does not fit"});
}

TEST_CASE("tensors are renamed, laid out anew, skipped with a reason") {
  const Checkpoint c{.tensors = {{"net.0.weight", Tensor::arange(24).reshape({2, 3, 1, 2, 2})},
                                 {"net.1.weight", Tensor::arange(12).reshape({2, 3, 2, 1})},
                                 {"net.1.bias", Tensor::arange(2)},
                                 {"net.1.steps", Tensor::scalar(1)},
                                 {"else", Tensor::scalar(1)}}};
  const WeightMap m = map_weights(c, rules(R"([{"from": "**.steps", "skip": "a count"},
                                               {"from": "net.*.*", "to": "layer$1.$2", "layout": "channels_last"}])"),
                                  "c");
  REQUIRE(m.weights.tensors.size() == 3);
  const Tensor& w = *m.weights.find("layer0.weight");
  CHECK(w.shape() == Shape{2, 1, 2, 2, 3});
  CHECK(w.rows(0, 1).values() == std::vector<double>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  CHECK(m.weights.find("layer1.weight")->shape() == Shape{2, 1, 2, 1, 3});
  CHECK(m.weights.find("layer1.bias")->shape() == Shape{2});
  CHECK(m.skipped == std::vector<std::pair<std::string, std::string>>{{"net.1.steps", "a count"}});
  CHECK(m.unmatched == Words{"else"});
  CHECK(describe(m) == "3 tensors mapped; 1 skipped: a count; 1 without a rule: else");
  // And back.
  const WeightMap back =
      map_weights(m.weights, rules(R"([{"from": "layer1.*", "to": ["net.1.$1", "copy.$1"], "layout": "channels_first", "axes": 2},
                           {"from": "layer*.*", "to": "net.$1.$2", "layout": "channels_first"}])"),
                  "c");
  for (const char* name : {"net.0.weight", "net.1.weight", "net.1.bias"}) {
    CHECK(back.weights.find(name)->shape() == c.find(name)->shape());
    CHECK(back.weights.find(name)->values() == c.find(name)->values());
  }
  CHECK(back.weights.find("copy.weight")->values() == c.find("net.1.weight")->values());
}

TEST_CASE("axes by squeeze, unsqueeze, permute and flip, in this order") {
  const Checkpoint c{.tensors = {{"w", Tensor::arange(6).reshape({1, 2, 3})}}};
  const WeightMap m =
      map_weights(c, rules(R"([{"from": "w", "to": "x", "squeeze": [0], "unsqueeze": [1], "permute": [2, 0, 1], "flip": [0]}])"), "c");
  CHECK(m.weights.tensors[0].tensor.shape() == Shape{3, 2, 1});
  CHECK(m.weights.tensors[0].tensor.values() == std::vector<double>{2, 5, 1, 4, 0, 3});
}

TEST_CASE("rules that are none and what does not fit them are refused") {
  CHECK_THAT(error_of([] { rules("{}"); }), Contains("a list of rules"));
  CHECK_THAT(error_of([] { rules(R"([{"from": "a"}])"); }), Contains("rule 1: either \"to\" or \"skip\""));
  CHECK_THAT(error_of([] { rules(R"([{"from": "a", "to": "b", "layuot": "x"}])"); }), Contains("\"layuot\" is unknown"));
  CHECK_THAT(error_of([] { rules(R"([{"from": "a", "to": "b", "layout": "x"}])"); }), Contains("neither channels_last"));
  CHECK_THAT(error_of([] { rules(R"([{"from": "a", "to": "b", "flip": [9]}])"); }), Contains("9 is no axis"));
  const Checkpoint c{.tensors = {{"a", Tensor::zeros({2})}, {"b", Tensor::zeros({2})}}};
  const auto refusal = [&](const char* text) { return error_of([&] { map_weights(c, rules(text), "c"); }); };
  CHECK_THAT(refusal(R"([{"from": "*", "to": "x"}])"), Contains("both a and b would become x"));
  CHECK_THAT(refusal(R"([{"from": "*", "to": "x$2"}])"), Contains("names a star"));
  CHECK_THAT(refusal(R"([{"from": "*", "to": "$1", "squeeze": [0]}])"), Contains("a {2} by the rule for \"*\": its axis 0"));
}
