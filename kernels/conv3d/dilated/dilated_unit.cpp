#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/dilated/dilated.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

Conv3dProblem dilated_problem(Int3 in, Int3 dilation, Int3 padding, Int3 stride = {1, 1, 1}) {
  Conv3dProblem p{.n = 2, .c = 5, .k = 7, .in = in, .kernel = {3, 3, 3}, .stride = stride, .padding = padding, .dilation = dilation};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - 2 * dilation[a] - 1) / stride[a] + 1;
  return p;
}

}  // namespace

TEST_CASE("dilated convolutions are split where remainders have voxels to read") {
  const auto plan = dilated_plan(dilated_problem({9, 8, 16}, {2, 1, 4}, {3, 1, 4}), false);
  REQUIRE(plan);
  CHECK(plan->dilation == Int3{2, 1, 4});
  CHECK(plan->shift == Int3{1, 0, 0});
  CHECK(plan->part.n == 8);
  CHECK(plan->part.in == Int3{5, 8, 4});
  CHECK(plan->part.out == Int3{6, 8, 4});
  CHECK(plan->part.padding == Int3{1, 1, 1});
  CHECK(plan->part.dilation == Int3{1, 1, 1});
  CHECK_FALSE(dilated_plan(dilated_problem({8, 8, 8}, {1, 1, 1}, {1, 1, 1}), false));
  CHECK_FALSE(dilated_plan(dilated_problem({8, 8, 8}, {1, 1, 8}, {1, 1, 8}), false));
  CHECK_FALSE(dilated_plan(dilated_problem({8, 8, 8}, {1, 2, 1}, {1, 2, 1}, {1, 2, 1}), false));
  // Zeros beside a normalised source are not what normalised voxels are.
  CHECK(dilated_plan(dilated_problem({8, 8, 8}, {2, 2, 2}, {2, 2, 2}), true));
  CHECK_FALSE(dilated_plan(dilated_problem({9, 9, 9}, {2, 2, 2}, {2, 2, 2}), true));
  CHECK_FALSE(dilated_plan(dilated_problem({8, 8, 8}, {2, 2, 2}, {3, 3, 3}), true));
}

TEST_CASE("a dilated convolution on the CPU reads the voxels it should, and weights gather all of them") {
  const Tensor x = noise({1, 24, 24, 24, 2}, 1), w = noise({3, 3, 3, 3, 2}, 2);
  for (const int d : {2, 5, 16}) {
    CAPTURE(d);
    const Tensor y = conv3d(x, w, {}, {.padding = {d, d, d}, .dilation = {d, d, d}});
    REQUIRE(y.shape() == Shape{1, 24, 24, 24, 3});
    const auto at = [&](int i, int j, int k, int c) {
      const bool inside = i >= 0 && i < 24 && j >= 0 && j < 24 && k >= 0 && k < 24;
      return inside ? double(x.data<float>()[size_t(((i * 24 + j) * 24 + k) * 2 + c)]) : 0.0;
    };
    double worst = 0;
    for (int v = 0; v < 24 * 24 * 24; v += 7)
      for (int k = 0; k < 3; ++k) {
        double sum = 0;
        for (int t = 0; t < 27; ++t)
          for (int c = 0; c < 2; ++c)
            sum += w.data<float>()[size_t((k * 27 + t) * 2 + c)] *
                   at(v / 576 + (t / 9 - 1) * d, v / 24 % 24 + (t / 3 % 3 - 1) * d, v % 24 + (t % 3 - 1) * d, c);
        worst = std::max(worst, std::abs(sum - y.data<float>()[size_t(v * 3 + k)]));
      }
    CHECK(worst < 3e-5);  // sums of 54 products, by Winograd
  }
}
