#include "augment/synthesis/synthesis.h"

#include <cmath>
#include <map>

#include "core/config/json_values.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

// A body of label 1 with a bar of label 5 along H, and label 9 in a corner.
LabelVolume bar_map() {
  const Int3 n = {24, 32, 20};
  LabelVolume map{Tensor::zeros({n.d, n.h, n.w}, DType::i32), {1, 1, 1}};
  int32_t* v = map.labels.view().as<int32_t>();
  for (int d = 0; d < n.d; ++d)
    for (int h = 0; h < n.h; ++h)
      for (int w = 0; w < n.w; ++w) {
        const bool bar = d >= 9 && d < 15 && h >= 6 && h < 26 && w >= 7 && w < 13;
        v[(d * n.h + h) * n.w + w] = bar ? 5 : d < 3 && h < 3 && w < 3 ? 9 : 1;
      }
  return map;
}

SynthesisOptions still() {
  return {.tissues = {{.name = "body", .labels = {1, 9}, .mean = {2, 2}, .deviation = {0.1, 0.1}},
                      {.name = "bar", .labels = {5}, .mean = {4, 5}, .deviation = {0.1, 0.1}}},
          .others = {.mean = {0, 0}, .deviation = {0, 0}},
          .label_variation = 0,
          .targets = {{.name = "front", .labels = {5}, .towards = "anterior", .from = 0.5, .to = 1},
                      {.name = "back", .labels = {5}, .towards = "anterior", .from = 0, .to = 0.5}},
          .margin_mm = {4, 4},
          .rotation_degrees = 0,
          .scale = {1, 1},
          .stretch = 0,
          .deformation_mm = 0,
          .bias = {0, 0},
          .blur_mm = {0, 0},
          .noise = {0, 0}};
}

struct Moments {
  double n = 0, sum = 0, squares = 0;
  double mean() const { return sum / n; }
  double deviation() const { return std::sqrt(squares / n - mean() * mean()); }
};
std::map<int, Moments> by_class(const SyntheticImage& s) {
  std::map<int, Moments> out;
  for (int64_t i = 0; i < s.label.count(); ++i) {
    const double v = double(s.image.view().as<float>()[i]);
    Moments& m = out[s.label.view().as<uint8_t>()[i]];
    m.n += 1, m.sum += v, m.squares += v * v;
  }
  return out;
}

}  // namespace

TEST_CASE("synthesis: undeformed, the whole map: labels become tissues and parts of a structure") {
  const SyntheticImage s = synthesize(bar_map(), still(), Rng(3));
  REQUIRE(s.image.shape() == Shape{24, 32, 20, 1});
  auto classes = by_class(s);
  CHECK(classes[1].n == 6 * 10 * 6);
  CHECK(classes[2].n == 6 * 10 * 6);
  CHECK(std::abs(classes[0].mean() - 2) < 0.01);
  CHECK(std::abs(classes[0].deviation() - 0.1) < 0.01);
  CHECK(classes[1].mean() > 3.9);
  CHECK(classes[1].mean() < 5.1);
  CHECK(std::abs(classes[1].mean() - classes[2].mean()) < 0.05);  // one label, one mean
  const uint8_t* label = s.label.view().as<uint8_t>();
  CHECK(label[(10 * 32 + 25) * 20 + 8] == 1);  // the largest h is anterior
  CHECK(label[(10 * 32 + 6) * 20 + 8] == 2);
}

TEST_CASE("synthesis: an image of an object is its box with margins") {
  SynthesisOptions o = still();
  o.objects = {7, 5};  // 7 is not in the map
  const SyntheticImage s = synthesize(bar_map(), o, Rng(3));
  CHECK(s.image.shape() == Shape{14, 28, 14, 1});
  CHECK(by_class(s)[1].n + by_class(s)[2].n == 6 * 20 * 6);
  CHECK(s.label.view().as<uint8_t>()[(4 * 28 + 4) * 14 + 4] == 2);
  CHECK(s.label.view().as<uint8_t>()[(3 * 28 + 4) * 14 + 4] == 0);
  o.scale = {2, 2};
  const SyntheticImage twice = synthesize(bar_map(), o, Rng(3));
  CHECK(twice.image.shape() == Shape{20, 48, 20, 1});
  CHECK(by_class(twice)[1].n + by_class(twice)[2].n == 12 * 40 * 12);
  o.objects = {7};
  CHECK_THROWS_WITH(synthesize(bar_map(), o, Rng(3)), Catch::Matchers::Contains("none of the 1 objects"));
}

TEST_CASE("synthesis: the same seed is the same image, another one is not; deformed volumes stay about as large") {
  SynthesisOptions o = still();
  o.objects = {5};
  o.rotation_degrees = 15, o.deformation_mm = 1, o.noise = {0.1, 0.1}, o.blur_mm = {0.5, 1}, o.bias = {0.1, 0.1};
  const SyntheticImage a = synthesize(bar_map(), o, Rng(1)), b = synthesize(bar_map(), o, Rng(1)), c = synthesize(bar_map(), o, Rng(2));
  CHECK(a.image.values() == b.image.values());
  CHECK(a.image.values() != c.image.values());
  const double voxels = by_class(a)[1].n + by_class(a)[2].n;
  CHECK(voxels > 0.7 * 720);
  CHECK(voxels < 1.3 * 720);
}

TEST_CASE("synthesis: its JSON") {
  const SynthesisOptions o = synthesis_from_json(
      Json::parse(R"({"tissues": [{"labels": [1, 2], "mean": [0, 1]}], "targets": [{"name": "a", "labels": [2]}], "noise": [0, 0.5]})"),
      "f");
  CHECK(o.tissues.at(0).labels == std::vector<int>{1, 2});
  CHECK(o.noise.high == 0.5);
  const auto refused = [](const char* text, const char* message) {
    CHECK_THROWS_WITH(synthesis_from_json(Json::parse(text), "f.json"), Catch::Matchers::Contains(message));
  };
  refused(R"({"tissue": []})", "f.json");
  refused(R"({"targets": []})", "0 targets, 1 to 255 are wanted");
  refused(R"({"targets": [{"name": "a", "labels": [2], "from": 0.5}]})", "targets[0]: a part (from, to) needs a direction");
  refused(R"({"targets": [{"name": "a", "labels": [2], "towards": "up"}]})", "towards");
  refused(R"({"tissues": [{"labels": [1]}, {"labels": [1]}], "targets": [{"name": "a", "labels": [2]}]})", "label 1 is of two tissues");
}
