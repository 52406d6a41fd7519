#include "infer/predict.h"

#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/flip/flip.h"
#include "kernels/matmul/matmul.h"
#include "kernels/pad/pad.h"
#include "kernels/slice/slice.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

constexpr Int3 kPatch = {2, 3, 4};
constexpr int64_t kVoxels = 2 * 3 * 4;

// y = sum_v v x_v over the voxels v = 1, 2, .. of a patch in their order, and the same with v^2: no two voxels weigh the same.
struct Places {
  Tensor weight;
  FIELDS(weight)
  Places() {
    std::vector<double> w;
    for (int64_t v = 1; v <= kVoxels; ++v) w.insert(w.end(), {double(v), double(v * v)});
    weight = Tensor::from(w, {kVoxels, 2});
  }
  Tensor operator()(const Tensor& x) const {
    const int64_t voxels = x.count() / x.dim(0);
    return matmul(x.reshape({x.dim(0), voxels}), weight.rows(0, voxels));
  }
};

const NetworkTraits kTraits = {.out_channels = 2, .dense = false};

// As many tiles as it is asked for are counted.
struct Counting {
  FIELDS()
  static inline int tiles = 0;
  Tensor operator()(const Tensor& x) const {
    tiles += int(x.dim(0));
    return Tensor::full(x.shape().with(4, 2), x.values()[0]);
  }
};

// The largest batch that it is given is kept.
struct Largest {
  FIELDS()
  static inline int64_t batch = 0;
  Tensor operator()(const Tensor& x) const {
    batch = std::max(batch, x.dim(0));
    return concat({x, x * 2.0}, -1);
  }
};

ModelDescription description() {
  ModelDescription d;
  d.traits = kTraits;
  d.patch = kPatch;
  return d;
}

// Voxel (d, h, w) of the image is 100 d + 10 h + w + 1.
Tensor image_of(int depth, int height, int width) {
  std::vector<double> x;
  for (int d = 0; d < depth; ++d)
    for (int h = 0; h < height; ++h)
      for (int w = 0; w < width; ++w) x.push_back(100 * d + 10 * h + w + 1);
  return Tensor::from(x, {depth, height, width, 1});
}

// The outputs for the patch that starts at `start` of the image, read backwards along the axes of `mirror`, zero beyond it.
std::array<double, 2> by_hand(const Tensor& image, Int3 start, std::array<bool, 3> mirror = {}) {
  const std::vector<double> x = image.values();
  std::array<double, 2> y = {};
  for (int i = 0; i < kVoxels; ++i) {
    const int place[3] = {i / 12, i / 4 % 3, i % 4};
    int64_t at = 0;
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      const int64_t p = start[a] + (mirror[size_t(a)] ? kPatch[a] - 1 - place[a] : place[a]);
      inside = inside && p >= 0 && p < image.dim(a);
      at = at * image.dim(a) + p;
    }
    if (!inside) continue;
    y[0] += (i + 1) * x[size_t(at)];
    y[1] += (i + 1.0) * (i + 1.0) * x[size_t(at)];
  }
  return y;
}

void check_values(const Tensor& image, const PredictOptions& o, const std::array<double, 2>& wanted) {
  const Network net(Places(), kTraits, "{}");
  const std::vector<double> y = predict_values(net, description(), image, o).values();
  REQUIRE(y.size() == 2);
  CHECK(close(y[0], wanted[0], 1e-6));
  CHECK(close(y[1], wanted[1], 1e-6));
}

}  // namespace

TEST_CASE("predict_values: the middle of an image larger than the patch counts") {
  check_values(image_of(2, 3, 4), {}, by_hand(image_of(2, 3, 4), {0, 0, 0}));
  const Tensor image = image_of(6, 8, 9);
  check_values(image, {}, by_hand(image, {2, 2, 2}));
}

TEST_CASE("predict_values: an image smaller than the patch lies in the middle of zeros") {
  const Tensor narrow = image_of(4, 1, 1);
  check_values(narrow, {}, by_hand(narrow, {1, -1, -1}));
}

TEST_CASE("predict_values: with mirroring the outputs are the mean over the eight mirror images") {
  const Tensor image = image_of(6, 1, 9);
  std::array<double, 2> mean = {};
  for (int pose = 0; pose < 8; ++pose) {
    const std::array<double, 2> y = by_hand(image, {2, -1, 2}, {bool(pose & 1), bool(pose & 2), bool(pose & 4)});
    for (size_t k = 0; k < 2; ++k) mean[k] += y[k] / 8;
  }
  check_values(image, {.mirror = true}, mean);
}

TEST_CASE("predict_values: with a shift the outputs are the mean over the image and the image moved along each axis") {
  const Tensor image = image_of(3, 3, 5), slice = image_of(1, 3, 4);
  std::array<double, 2> mean = {}, of_slice = {};
  for (const Int3 begin : {Int3{0, 0, 0}, {-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}})
    for (size_t k = 0; k < 2; ++k) mean[k] += by_hand(image, begin)[k] / 7;
  check_values(image, {.shift = 1}, mean);
  // A patch of one plane is moved along the others.
  const Network net(Places(), kTraits, "{}");
  ModelDescription d = description();
  d.patch = {1, 3, 4};
  const auto got = predict_values(net, d, slice, {.shift = 2}).values();
  const Tensor around = pad3d(slice.reshape({1, 1, 3, 4, 1}), {0, 2, 2}, {0, 2, 2});
  for (const Int3 begin : {Int3{0, 2, 2}, {0, 0, 2}, {0, 4, 2}, {0, 2, 0}, {0, 2, 4}}) {
    const auto y = Places()(crop3d(around, begin, {1, 3, 4})).values();
    for (size_t k = 0; k < 2; ++k) of_slice[k] += y[k] / 5;
  }
  for (size_t k = 0; k < 2; ++k) CHECK(close(got[k], of_slice[k], 1e-6));
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(predict_values(net, d, slice, {.shift = 3}), Contains("moved by 3") && Contains("1x3x4"));
  CHECK_THROWS_WITH(predict_values(net, d, slice, {.shift = -1}), Contains("moved by -1"));
  CHECK_THROWS_WITH(predict_tile_values(net, d, slice, {.shift = 1}), Contains("shift 1"));
  CHECK_THROWS_WITH(predict_volume(Network(Largest(), {.out_channels = 2}, "{}"), description(), image, {.shift = 1}), Contains("shift 1"));
}

TEST_CASE("predict_values: mirrored axes are those of the model, and an axis of one voxel is none") {
  ModelDescription d = description();
  d.mirror_axes = {false, false, true};
  const Tensor image = image_of(2, 3, 4);
  const auto sum_of = [&](const Tensor& x) { return Places()(x.reshape({1, 2, 3, 4, 1})).values(); };
  const auto got = predict_values(Network(Places(), kTraits, "{}"), d, image, {.mirror = true}).values();
  const auto straight = sum_of(image), mirrored = sum_of(flip(image, {2}));
  for (size_t k = 0; k < 2; ++k) CHECK(close(got[k], (straight[k] + mirrored[k]) / 2, 1e-5));
}

TEST_CASE("predict_tile_values: overlapping patches all over the image, each as predict_values gives it") {
  const Tensor image = image_of(2, 2, 6);
  const Tensor rows = predict_tile_values(Network(Places(), kTraits, "{}"), description(), image, {.overlap = 0.5});
  REQUIRE(rows.shape() == Shape{2, 2});  // along W patches begin at 0 and 2; along H one, and zeros
  for (int64_t t = 0; t < 2; ++t) {
    const Tensor part = crop3d(image.reshape({1, 2, 2, 6, 1}), {0, 0, int(2 * t)}, {2, 2, 4}).reshape({2, 2, 4, 1});
    const auto wanted = predict_values(Network(Places(), kTraits, "{}"), description(), part, {}).values();
    CHECK(rows.rows(t, t + 1).values() == wanted);
  }
}

TEST_CASE("a network gets as many tiles and mirror images at once as it is asked to take, and the outputs are the same") {
  const Network net(Largest(), {.out_channels = 2}, "{}");
  const Tensor image = image_of(5, 7, 9), one = predict_volume(net, description(), image, {.mirror = true});
  CHECK(Largest::batch == 1);
  const Tensor several = predict_volume(net, description(), image, {.mirror = true, .batch = 6});
  CHECK(Largest::batch == 6);
  CHECK(several.values() == one.values());
}

TEST_CASE("an empty part of an image is left out where that is asked for, not otherwise") {
  Tensor image = image_of(2, 3, 16);
  float* x = image.mutable_data<float>().data();
  for (int64_t i = 0; i < image.count(); ++i)
    if (i % 16 >= 4) x[i] = float(i % 2) * 0.1f;  // of a range of 124
  const Network net(Counting(), {.out_channels = 2}, "{}");
  for (bool skip : {false, true}) {
    Counting::tiles = 0;
    const std::vector<double> y = predict_volume(net, description(), image, {.overlap = 0, .skip_empty = skip}).values();
    CHECK(Counting::tiles == (skip ? 2 : 4));
    CHECK(close(y[0], 1, 1e-6));
  }
}
