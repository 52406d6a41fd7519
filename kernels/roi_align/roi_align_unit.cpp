#include "kernels/roi_align/roi_align.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("features within boxes are those of torchvision") {
  // x[h, w] = (7 h + 3 w^2) mod 11 of 6 x 8, boxes in the order of torchvision (x, y from the edge of the first pixel):
  //   [1.5, 0.5, 6.25, 4.75] and [-2, 1, 3, 9]; roi_align(output_size=(2, 3), sampling_ratio=2, aligned=True), torchvision 0.26.
  std::vector<double> v;
  for (int h = 0; h < 6; ++h)
    for (int w = 0; w < 8; ++w) v.push_back((7 * h + 3 * w * w) % 11);
  const Tensor boxes = Tensor::from({-0.5, 0.0, 1.0, 0.5, 4.25, 5.75, -0.5, 0.5, -2.5, 0.5, 8.5, 2.5}, {2, 6});
  const Tensor y = roi_align(Tensor::from(v, {1, 1, 6, 8, 1}), boxes, Tensor::zeros({2}, DType::i64), {.size = {1, 2, 3}});
  const double wanted[] = {5.667643229, 3.642252604, 4.370605469, 3.811686198, 4.387695312,
                           5.543945313, 0, 6.552083333, 5.4375, 0, 1.3125, 1.958333333};
  const std::vector<double> got = y.values();
  REQUIRE(got.size() == 12);
  for (size_t i = 0; i < 12; ++i) CHECK(close(got[i], wanted[i], 1e-5));
}

TEST_CASE("features within boxes are sums of hats on 10,000 random sets, boxes without extent or inside out among them") {
  Rng rng(3);
  const int64_t size[3] = {3, 4, 5};
  int64_t wrong = 0;
  for (int set = 0; set < 10000; ++set) {
    std::vector<double> x(3 * 4 * 5), box(6);
    for (double& v : x) v = rng.uniform(-1, 1);
    for (double& v : box) v = rng.uniform(-3, 8);
    if (set % 4 == 0) box[3 + set / 4 % 3] = box[set / 4 % 3];
    const Int3 bins = {1 + int(rng.below(2)), 1, 2};
    const int samples = 1 + int(rng.below(2));
    const std::vector<double> y = roi_align(Tensor::from(x, {1, 3, 4, 5, 1}, DType::f64), Tensor::from(box, {1, 6}, DType::f64),
                                            Tensor::zeros({1}, DType::i64), {.size = bins, .samples = samples})
                                      .values();
    // Along an axis the mean over the places of a bin of a voxel's weight there; the weights of three axes multiply.
    const auto weight = [&](int a, int bin, int64_t voxel) {
      double sum = 0;
      for (int s = 0; s < samples; ++s) {
        const double begin = box[size_t(a)], end = box[size_t(a) + 3], at = begin + (end - begin) * (bin + (s + 0.5) / samples) / bins[a];
        if (at < -1 || at > double(size[a])) continue;
        sum += std::max(0.0, 1 - std::abs(std::clamp(at, 0.0, double(size[a] - 1)) - double(voxel))) / samples;
      }
      return sum;
    };
    for (int b = 0; b < bins.d * bins.w; ++b) {
      double expected = 0;
      for (int64_t v = 0; v < 60; ++v)
        expected += x[size_t(v)] * weight(0, b / bins.w, v / 20) * weight(1, 0, v / 5 % 4) * weight(2, b % bins.w, v % 5);
      wrong += !close(y.at(size_t(b)), expected, 1e-12);
    }
  }
  CHECK(wrong == 0);
}
