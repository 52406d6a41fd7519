#include <algorithm>

#include "augment/batch.h"
#include "augment/transform.h"
#include "core/config/json_values.h"
#include "tests/sample_helpers.h"
#include "train/config.h"

using namespace voxgrad;

namespace {

// A transform of a program's own: adds a number to the input.
struct OffsetOptions {
  double probability = 1;
  Range by = {2, 3};
};

void offset_keys(ConfigTable& t, OffsetOptions& o) {
  t.number("test_offset", o.probability, 0, 1, "probability of an offset");
  t.range("test_offset_by", o.by, -100, 100, "the offset");
}
std::optional<double> draw_offset(const OffsetOptions& o, const PatchFacts&, Rng rng) {
  if (!rng.coin(o.probability)) return {};
  return draw_from(o.by, rng);
}
void add_offset(const Tensor& image, const double& by) {
  for (float& x : image.mutable_data<float>()) x += float(by);
}

// One of space: moves the patch by whole voxels along W.
struct ShiftOptions {
  double voxels = 0;
};
void shift_keys(ConfigTable& t, ShiftOptions& o) { t.number("test_shift", o.voxels, -100, 100, "voxels along W"); }
void shift(const ShiftOptions& o, const PatchFacts&, Rng, PatchPose& pose) { pose.centre[2] += o.voxels; }

void register_own() {
  static const bool once = [] {
    transform_registry().add(IntensityTransform<OffsetOptions, double>{
        .name = "test_offset", .summary = "adds a number", .keys = offset_keys, .draw = draw_offset, .apply = add_offset});
    transform_registry().add(SpaceTransform<ShiftOptions>{.name = "test_shift", .summary = "moves", .keys = shift_keys, .pose = shift});
    return true;
  }();
  (void)once;
}

double mean_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.count(); ++i) sum += double(a.data<float>()[size_t(i)]) - double(b.data<float>()[size_t(i)]);
  return sum / double(a.count());
}

}  // namespace

TEST_CASE("a transform of a program's own is named in the order, with keys of its own") {
  register_own();
  const Sample s = random_sample({4, 5, 6}, 2, 1);
  TrainConfig config;
  CHECK(same(augmented_patch(s, {{1.5, 2, 2.5}, {4, 5, 6}}, no_augmentation(), Rng(1)).image(), s.image()));
  apply_assignment(config, R"(augment.order=["test_offset"])");
  apply_assignment(config, "augment.test_offset_by=[5,5]");
  const Tensor moved = augment(s, config.augment, Rng(1)).image();
  CHECK(std::abs(mean_difference(moved, s.image()) - 5) < 1e-5);
  // It travels with the configuration, and a copy has options of its own.
  TrainConfig other;
  apply_json(other, to_json(config), "copy");
  CHECK(same(augment(s, other.augment, Rng(1)).image(), moved));
  TrainConfig copy = other;
  apply_assignment(copy, "augment.test_offset_by=[7,7]");
  CHECK(std::abs(mean_difference(augment(s, copy.augment, Rng(1)).image(), s.image()) - 7) < 1e-5);
  CHECK(same(augment(s, other.augment, Rng(1)).image(), moved));
  // Without a side for CUDA, batches for a device are made on the CPU.
  CHECK(!transform_registry().find("test_offset").apply_cuda);
}

TEST_CASE("intensity transforms follow in the order that is listed, those of space come first as one pose") {
  register_own();
  const Sample s = random_sample({4, 5, 6}, 1, 2);
  Augmentation a;
  a.set({{"order", {"test_offset", "brightness"}}, {"test_offset_by", {1, 1}}, {"brightness", 1}, {"brightness_factor", {2, 2}}});
  const auto expected = [&](auto f) {
    const Tensor want = s.image().clone();
    for (float& x : want.mutable_data<float>()) x = f(x);
    return want;
  };
  CHECK(!(difference(augment(s, a, Rng(3)).image(), expected([](float x) { return (x + 1) * 2; })) > 1e-5));
  a.order = {"brightness", "test_offset"};
  CHECK(!(difference(augment(s, a, Rng(3)).image(), expected([](float x) { return x * 2 + 1; })) > 1e-5));
  // What is drawn does not depend on the place in the order, nor on the others.
  Augmentation noise = only({"noise"}), later = noise;
  later.order = {"test_shift", "brightness", "noise"};
  later.set({{"brightness", 0}});
  CHECK(same(augment(s, noise, Rng(4)).image(), augment(s, later, Rng(4)).image()));
  // The shift, although listed last, and the mirror: in front of the offset, and of the label too.
  a.order = {"test_offset", "mirror", "test_shift"};
  a.set({{"test_shift", 2}, {"mirror", 1}});
  const Sample got = augment(s, a, Rng(3));
  const Sample want = extract_patch(s, {.centre = {1.5, 2, 4.5}, .mirror = {true, true, true}}, {4, 5, 6});
  CHECK(std::abs(mean_difference(got.image(), want.image()) - 1) < 1e-5);
  CHECK(same(got.at("label"), want.at("label")));
}

TEST_CASE("bad orders and options of transforms are named") {
  register_own();
  const Sample s = random_sample({4, 4, 4}, 1, 1);
  Augmentation a;
  CHECK(refuses([&] { a.set({{"order", {"noise", "nosie"}}}); }, {"\"nosie\"", "known are", "blur"}));
  CHECK(refuses([&] { a.set({{"order", {"noise", "noise"}}}); }, {"\"noise\" is there twice"}));
  CHECK(refuses([&] { a.set({{"order", "noise"}}); }, {"a list of names"}));
  CHECK(refuses([&] { a.set({{"noise_sigam", 1}}, "my.json"); }, {"my.json", "noise_sigam", "augment.noise_sigma"}));
  CHECK(refuses([&] { a.options<OffsetOptions>("noise"); }, {"another type"}));
  CHECK(refuses([&] { transform_registry().add({.name = "noise"}); }, {"\"noise\" is taken"}));
  a.order = {"unheard"};
  CHECK(refuses([&] { augment(s, a, Rng(1)); }, {"\"unheard\""}));
  Augmentation early;
  transform_registry().add(SpaceTransform<ShiftOptions>{.name = "test_late", .summary = "", .keys = shift_keys, .pose = shift});
  early.order = {"test_late"};
  CHECK(refuses([&] { augment(s, early, Rng(1)); }, {"test_late", "after this augmentation"}));
}

TEST_CASE("keys and defaults of the library's transforms are those of nnU-Net, in the order of its pipeline") {
  TrainConfig c;
  const Json a = to_json(c)["augment"];
  const Json wanted = Json::parse(R"({
    "order": ["spatial", "noise", "blur", "brightness", "contrast", "low_resolution", "inverted_gamma", "gamma", "mirror"],
    "rotation": 0.2, "rotation_degrees": 30.0, "scaling": 0.2, "scale_low": 0.7, "scale_high": 1.4,
    "noise": 0.1, "noise_sigma": [0.0, 0.1], "blur": 0.2, "blur_sigma": [0.5, 1.0],
    "brightness": 0.15, "brightness_factor": [0.75, 1.25], "contrast": 0.15, "contrast_factor": [0.75, 1.25],
    "low_resolution": 0.25, "low_resolution_scale": [0.5, 1.0], "inverted_gamma": 0.1, "gamma": 0.3, "gamma_range": [0.7, 1.5],
    "mirror": 0.5})");
  for (const auto& [key, value] : wanted.items()) CHECK((a.contains(key) && a[key] == value));
  // Numbers of sources, which every seed's augmentation rests on: noise by hand, the others by their entries.
  const char* const in_order[] = {"spatial",  "mirror",         "noise",          "blur", "brightness",
                                  "contrast", "low_resolution", "inverted_gamma", "gamma"};
  for (uint64_t i = 0; i < 9; ++i) CHECK(transform_registry().find(in_order[i]).stream == i);
  const Sample s = random_sample({4, 5, 6}, 1, 2);
  const Tensor noisy = s.image().clone();
  Rng source = Rng(11).at(2);
  source.coin(1);
  const double sigma = source.uniform(0, 0.1);
  add_gaussian_noise(noisy, sigma, source.split());
  CHECK(same(augment(s, only({"noise"}), Rng(11)).image(), noisy));
  // A key that two transforms share sets both.
  c.augment.set({{"gamma_range", {0.9, 1.1}}});
  CHECK(c.augment.options<GammaCurveOptions>("gamma").gamma.high == 1.1);
  CHECK(c.augment.options<InvertedGammaOptions>("inverted_gamma").gamma.high == 1.1);
}
