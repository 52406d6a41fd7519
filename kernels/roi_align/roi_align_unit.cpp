#include "kernels/roi_align/roi_align.h"
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
