// Augmentation on a CUDA device: the random numbers of the CPU, and its values within rounding.
#include <cmath>

#include "augment/batch.h"
#include "augment/blur/blur.h"
#include "augment/low_resolution/low_resolution.h"
#include "augment/transform.h"
#include "core/config/json_values.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Sample random_volume(Int3 size, int channels, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(size.d) * size_t(size.h) * size_t(size.w) * size_t(channels)), l(v.size() / size_t(channels));
  for (double& x : v) x = rng.normal();
  for (size_t i = 0; i < l.size(); ++i) l[i] = double(i / 3 % 7 % 4);
  return sample_of(Tensor::from(v, {size.d, size.h, size.w, channels}), Tensor::from(l, {size.d, size.h, size.w}, DType::u8));
}

// Patches inside, at the border and beyond it, of volumes of different sizes.
std::vector<PatchRequest> requests(int channels, Int3 patch) {
  std::vector<PatchRequest> out;
  const Int3 sizes[] = {{17, 20, 23}, {9, 14, 30}, {6, 5, 4}};
  for (uint64_t i = 0; i < 3; ++i) {
    const Sample v = random_volume(sizes[i], channels, 10 + i);
    out.push_back({v, {{sizes[i].d / 2.0 - 0.5, sizes[i].h / 2.0 - 3 * double(i), sizes[i].w / 2.0}, patch}, Rng(100 + i)});
  }
  return out;
}

// Of whole voxels.
std::vector<PatchRequest> whole_requests(int channels, Int3 patch) {
  std::vector<PatchRequest> out = requests(channels, patch);
  for (PatchRequest& r : out) r.place.centre = {5.5, 6.5, 9};
  return out;
}

struct Difference {
  double image = 0;
  int64_t labels = 0;
};
Difference difference(const Batch& a, const Batch& b) {
  Difference d;
  const std::vector<double> x = a.image.values(), y = b.image.values();
  REQUIRE(x.size() == y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = std::abs(x[i] - y[i]);
    if (!(e <= d.image)) d.image = e;
  }
  if (!a.find("label") || !b.find("label")) return d;
  const std::vector<double> l = a.at("label").values(), m = b.at("label").values();
  for (size_t i = 0; i < l.size(); ++i) d.labels += l[i] != m[i];
  return d;
}

Difference both(const std::vector<PatchRequest>& r, const Augmentation& o) {
  return difference(augmented_batch(r, o, Device{0}), augmented_batch(r, o));
}

constexpr Int3 kPatch = {8, 12, 15};

}  // namespace

TEST_CASE("patches cut on CUDA: whole voxels exactly, rotated and scaled ones within rounding") {
  Augmentation o;
  o.order = {"spatial", "mirror"};
  o.set({{"rotation", 0}, {"scaling", 0}});
  const std::vector<PatchRequest> whole = whole_requests(2, kPatch);
  for (double mirrored : {0.0, 1.0})
    for (Border border : {Border::zeros, Border::edge}) {
      o.set({{"mirror", mirrored}});
      o.resample = {.border = border, .outside_label = 9};
      const Difference d = both(whole, o);
      CHECK(d.image == 0);
      CHECK(d.labels == 0);
    }
  o.set({{"rotation", 1}, {"scaling", 1}, {"mirror", 0.5}});
  for (Border border : {Border::zeros, Border::edge})
    for (LabelSampling label : {LabelSampling::linear, LabelSampling::nearest})
      for (int channels : {1, 3}) {
        o.resample = {.border = border, .label = label};
        const Difference d = both(requests(channels, kPatch), o);
        CHECK(d.image < 2e-5);  // coordinates carry 2^-23 of a row's extent
        CHECK(d.labels <= 2);   // ties within rounding
      }
}

TEST_CASE("every intensity transform on CUDA has the values of the CPU") {
  const std::vector<PatchRequest> r = whole_requests(2, kPatch);
  Augmentation all = no_augmentation();
  all.set({{"noise_sigma", {0.05, 0.1}}});
  all.options<BlurOptions>("blur").channel_probability = 0.7;
  all.options<LowResolutionOptions>("low_resolution").channel_probability = 0.7;
  const Batch plain = augmented_batch(r, all);
  int tested = 0;
  for (const TransformEntry& transform : transform_registry().entries()) {
    if (!transform.apply_cuda) continue;
    all.set({{transform.name, 1}});
    all.order = {transform.name};
    INFO("transform " << transform.name);
    const Batch there = augmented_batch(r, all, Device{0});
    const double error = difference(there, augmented_batch(r, all)).image;
    CHECK(error < 1e-5);
    if (transform.name == "noise") CHECK(error == 0);  // + - * / and square roots alone
    CHECK(!(difference(there, plain).image < 1e-3));   // it did something
    ++tested;
  }
  CHECK(tested >= 7);
  all.order = Augmentation().order;
  all.set({{"rotation", 1}, {"scaling", 1}, {"mirror", 0}});
  const Difference d = both(r, all);
  CHECK(d.image < 1e-4);
  CHECK(d.labels <= 2);
}

TEST_CASE("a batch on CUDA repeats its bits, and a patch does not depend on the others") {
  Augmentation o;
  o.set({{"rotation", 1}, {"noise", 1}, {"blur", 1}, {"contrast", 1}, {"gamma", 1}});
  const std::vector<PatchRequest> r = requests(1, kPatch);
  const Batch first = augmented_batch(r, o, Device{0}), second = augmented_batch(r, o, Device{0});
  CHECK(first.image.values() == second.image.values());
  CHECK(first.at("label").values() == second.at("label").values());
  const Batch alone = augmented_batch({r[1]}, o, Device{0});
  CHECK(alone.image.values() == first.image.rows(1, 2).values());
  CHECK(alone.at("label").values() == first.at("label").rows(1, 2).values());
  std::vector<PatchRequest> bare = r;
  for (PatchRequest& one : bare) one.volume.fields.pop_back();
  const Batch without = augmented_batch(bare, o, Device{0});
  CHECK(!without.find("label"));
  CHECK(without.image.values() == first.image.values());
}

TEST_CASE("a batch on CUDA has all kinds of fields, with the values of the CPU") {
  std::vector<PatchRequest> r = requests(1, kPatch);
  for (PatchRequest& one : r) {
    const Sample &v = one.volume, second = random_volume(volume_size(v.image()), 3, 77);
    std::vector<Field>& fields = one.volume.fields;
    fields.push_back({"flow", DataKind::vectors, second.image()});
    fields.push_back({"organ", DataKind::labels, second.at("label")});
    fields.push_back({"ends", DataKind::points, Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3})});
    fields.push_back({"lesions", DataKind::boxes, Tensor::from({0, 0, 0, 40, 40, 40, 3}, {1, 7})});
    fields.push_back({"class", DataKind::values, Tensor::from({double(one.place.size.d), 5}, {2}, DType::i32)});
  }
  Augmentation a;
  a.set({{"rotation", 1}, {"scaling", 1}, {"noise", 1}});
  a.order = {"spatial", "noise", "mirror"};
  const Batch there = augmented_batch(r, a, Device{0}), here = augmented_batch(r, a);
  CHECK(difference(there, here).image < 2e-5);
  for (const char* name : {"flow", "organ", "class"}) CHECK(!there.at(name).device().is_cpu());
  const auto furthest = [&](const char* name) {
    const std::vector<double> x = there.at(name).values(), y = here.at(name).values();
    REQUIRE(x.size() == y.size());
    double most = 0;
    for (size_t i = 0; i < x.size(); ++i)
      if (const double e = std::abs(x[i] - y[i]); !(e <= most)) most = e;
    return most;
  };
  CHECK(furthest("flow") < 5e-5);
  CHECK(furthest("class") == 0);
  CHECK(furthest("ends") == 0);
  CHECK(furthest("lesions") == 0);
  CHECK(there.find("lesions")->offsets == here.find("lesions")->offsets);
  int64_t differ = 0;
  const std::vector<double> k = there.at("organ").values(), l = here.at("organ").values();
  for (size_t i = 0; i < k.size(); ++i) differ += k[i] != l[i];
  CHECK(differ <= 2);  // ties within rounding
}

TEST_CASE("with a transform that has no side for CUDA, batches for a device are made on the CPU") {
  struct Nothing {
    double probability = 1;
  };
  transform_registry().add(IntensityTransform<Nothing, int>{
      .name = "test_negative",
      .summary = "negates",
      .keys = [](ConfigTable& t, Nothing& o) { t.number("test_negative", o.probability, 0, 1, "probability"); },
      .draw = [](const Nothing&, const PatchFacts&, Rng) { return std::optional<int>(1); },
      .apply =
          [](const Tensor& image, const int&) {
            for (float& x : image.mutable_data<float>()) x = -x;
          }});
  Augmentation a;
  a.order = {"spatial", "test_negative", "noise"};
  a.set({{"rotation", 1}, {"noise", 1}});
  std::vector<PatchRequest> r = requests(2, kPatch);
  for (PatchRequest& one : r) one.volume.fields.push_back({"ends", DataKind::points, Tensor::from({1, 2, 3}, {1, 3})});
  const Batch there = augmented_batch(r, a, Device{0}), here = augmented_batch(r, a);
  CHECK(!there.image.device().is_cpu());
  CHECK(there.image.values() == here.image.values());
  CHECK(there.at("label").values() == here.at("label").values());
  CHECK(there.at("ends").values() == here.at("ends").values());
}
