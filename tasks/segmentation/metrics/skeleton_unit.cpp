#include "tasks/segmentation/metrics/skeleton.h"

#include <cmath>

#include "tasks/segmentation/metrics/metric.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

// Bands that meet and end, in one slice.
Tensor net(double shift, const Shape& shape) {
  std::vector<double> v;
  for (int i = 0; i < 48 * 48; ++i) {
    const double h = i / 48, w = i % 48;
    v.push_back(std::sin(0.35 * h + 0.15 * w + shift) * std::cos(0.25 * w - 0.1 * h) > 0.1 ? 1 : 0);
  }
  return Tensor::from(v, shape, DType::u8);
}
// {16, 24, 32}: 1 in a shell, 2 within.
Tensor shells(double shift) {
  std::vector<double> v;
  for (int d = 0; d < 16; ++d)
    for (int h = 0; h < 24; ++h)
      for (int w = 0; w < 32; ++w) {
        const double x = std::sin(0.5 * d + shift) + std::sin(0.4 * h - shift) + std::sin(0.3 * w + 1);
        v.push_back(x > 1.5 ? 2 : x > 0.8 ? 1 : 0);
      }
  return Tensor::from(v, {16, 24, 32}, DType::u8);
}
struct Places {
  int64_t count = 0, sum = 0;  // of indices in memory
};
Places places_in(const Tensor& skeleton) {
  Places out;
  for (int64_t i = 0; i < skeleton.count(); ++i)
    if (skeleton.data<uint8_t>()[size_t(i)]) ++out.count, out.sum += i;
  return out;
}
Box whole(const Tensor& t) { return {.begin = {0, 0, 0}, .end = {t.dim(0), t.dim(1), t.dim(2)}}; }
double cl_dice_of(const Tensor& p, const Tensor& r, int label = 1) {
  return score(p, r, {1, 1, 1}, {.classes = 3, .more = {"cl_dice"}})[size_t(label - 1)].more.at(0);
}

}  // namespace

// Values of scikit-image 0.26, skeletonize(method="lee").
TEST_CASE("a centreline is scikit-image's, in volumes and in slices whichever way these lie") {
  const Tensor flat = net(0, {1, 48, 48});
  for (const Shape& s : {Shape{1, 48, 48}, Shape{48, 1, 48}, Shape{48, 48, 1}}) {
    const Places p = places_in(skeleton_of(flat.reshape(s), 1, whole(flat.reshape(s))));
    CHECK(p.count == 73);
    CHECK((s[0] > 1 || p.sum == 83227));
  }
  const Tensor volume = shells(0);
  const Places p = places_in(skeleton_of(volume, 1, whole(volume)));
  CHECK(p.count == 223);
  CHECK(p.sum == 1281485);
}

TEST_CASE("a centreline keeps what has no end, no inside or one voxel") {
  const Tensor ring = Tensor::zeros({3, 5, 5}, DType::u8), shell = Tensor::full({5, 5, 5}, 1, DType::u8);
  for (int i = 0; i < 25; ++i)
    if (i / 5 % 4 == 0 || i % 5 % 4 == 0) ring.mutable_data<uint8_t>()[size_t(25 + i)] = 1;
  CHECK(places_in(skeleton_of(ring, 1, whole(ring))).count >= 8);
  shell.mutable_data<uint8_t>()[62] = 0;
  CHECK(places_in(skeleton_of(shell, 1, whole(shell))).count >= 6);  // a cavity stays
  const Tensor dot = Tensor::zeros({3, 3, 3}, DType::u8), ball = Tensor::full({3, 3, 3}, 1, DType::u8);
  dot.mutable_data<uint8_t>()[13] = 1;
  CHECK(places_in(skeleton_of(dot, 1, whole(dot))).sum == 13);
  CHECK(places_in(skeleton_of(ball, 1, whole(ball))).count == 3);
  // A box around the object changes nothing but where its voxels are counted from.
  const Tensor part = skeleton_of(ring, 1, {.begin = {1, 0, 0}, .end = {2, 5, 5}});
  CHECK(part.shape() == Shape{1, 5, 5});
  CHECK(part.values() == skeleton_of(ring, 1, whole(ring)).rows(1, 2).values());
  CHECK(skeleton_of(ring, 1, {}).count() == 0);
}

TEST_CASE("clDice is the Dice of how far centrelines lie in the other object") {
  const Tensor a = shells(0), b = shells(0.6);
  CHECK(cl_dice_of(a, b, 1) == Approx(0.46621888581588306).epsilon(1e-9));
  CHECK(cl_dice_of(b, a, 1) == Approx(0.46621888581588306).epsilon(1e-9));
  CHECK(cl_dice_of(a, b, 2) == 1);
  CHECK(cl_dice_of(net(0, {1, 48, 48}), net(0.7, {1, 48, 48})) == Approx(0.8622754491017965).epsilon(1e-9));
  const Tensor none = Tensor::zeros(a.shape(), DType::u8);
  CHECK(cl_dice_of(none, a) == 0);
  CHECK(cl_dice_of(a, none) == 0);
  CHECK(std::isnan(cl_dice_of(none, none)));
  // Objects that share no voxel.
  const Tensor left = Tensor::from({1, 0, 0, 0}, {1, 1, 4}, DType::u8), right = Tensor::from({0, 0, 0, 1}, {1, 1, 4}, DType::u8);
  CHECK(cl_dice_of(left, right) == 0);
}
