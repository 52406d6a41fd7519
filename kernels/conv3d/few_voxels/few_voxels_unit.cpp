#include "kernels/conv3d/few_voxels/few_voxels.h"

#include <cstring>

#include "core/device/parallel.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

Conv3dProblem problem_of_few(int64_t n, Int3 in, int64_t c, int64_t k, Int3 kernel, Int3 stride, Int3 padding) {
  Conv3dProblem p{.n = n, .c = c, .k = k, .in = in, .kernel = kernel, .stride = stride, .padding = padding, .dilation = {1, 1, 1}};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - kernel[a]) / stride[a] + 1;
  return p;
}
bool few(const Conv3dProblem& p) {
  const bool wide = is_few_voxels(forward_gather(p), 16);
  CHECK(is_few_voxels(gradient_gather(p), 16) == wide);
  for (const int64_t lanes : {8, 4}) CHECK((is_few_voxels(forward_gather(p), lanes) || !wide));
  return wide;
}
constexpr Int3 kUnit{1, 1, 1}, kHalved{2, 2, 2}, kCube{3, 3, 3}, kFlush{0, 0, 0};

}  // namespace

TEST_CASE("the op cases of few voxels are computed as few voxels") {
  CHECK(few(problem_of_few(2, {2, 2, 2}, 32, 40, kCube, kUnit, kUnit)));
  CHECK(few(problem_of_few(2, {4, 3, 4}, 32, 37, kCube, kHalved, kUnit)));
  CHECK(few(problem_of_few(1, {1, 1, 1}, 48, 48, kCube, kUnit, kUnit)));
  CHECK(few(problem_of_few(2, {2, 2, 2}, 144, 135, kUnit, kUnit, kFlush)));
  CHECK(few(problem_of_few(1, {3, 4, 5}, 128, 144, kUnit, kHalved, kFlush)));
  CHECK(is_few_voxels(forward_gather(problem_of_few(1, {1, 3, 1}, 1072, 18, kUnit, kUnit, kFlush)), 16));
  CHECK(few(problem_of_few(1, {1, 2, 2}, 16, 64, {3, 5, 3}, kUnit, {2, 4, 3})));
  CHECK(few(problem_of_few(3, {2, 4, 3}, 32, 32, {2, 4, 3}, kUnit, kFlush)));
}

TEST_CASE("few voxels are at most 16 pairs of an output and an input for a tap in the mean") {
  CHECK(few(problem_of_few(2, {2, 2, 2}, 512, 512, kCube, kUnit, kUnit)));    // 4.7
  CHECK(few(problem_of_few(2, {4, 4, 4}, 512, 512, kCube, kHalved, kUnit)));    // 9.3
  CHECK(few(problem_of_few(1, {3, 3, 3}, 320, 320, kCube, kUnit, kUnit)));    // 12.7
  CHECK_FALSE(few(problem_of_few(2, {3, 3, 3}, 320, 320, kCube, kUnit, kUnit)));
  CHECK_FALSE(few(problem_of_few(2, {4, 4, 4}, 256, 256, kCube, kUnit, kUnit)));
  CHECK(few(problem_of_few(2, {2, 2, 2}, 512, 2048, kUnit, kUnit, kFlush)));    // 16
  CHECK_FALSE(few(problem_of_few(17, {1, 1, 1}, 512, 2048, kUnit, kUnit, kFlush)));
  const auto summed = [](const Conv3dProblem& p) { return is_few_voxels(forward_gather(p), 16, ConvPass::weight_gradient); };
  CHECK(summed(problem_of_few(2, {4, 4, 4}, 256, 256, kCube, kUnit, kUnit)));  // 74
  CHECK(summed(problem_of_few(2, {4, 4, 4}, 256, 1024, kUnit, kUnit, kFlush)));
  CHECK_FALSE(summed(problem_of_few(3, {4, 4, 4}, 256, 1024, kUnit, kUnit, kFlush)));
  CHECK_FALSE(summed(problem_of_few(2, {5, 5, 5}, 256, 256, kCube, kUnit, kUnit)));
  // Channels that are not whole vectors, and weights that are in the cache anyway.
  CHECK_FALSE(few(problem_of_few(1, {2, 2, 2}, 100, 512, kCube, kUnit, kUnit)));
  CHECK_FALSE(few(problem_of_few(1, {2, 2, 2}, 16, 32, kCube, kUnit, kUnit)));
  Conv3dProblem grouped = problem_of_few(1, {2, 2, 2}, 512, 512, kCube, kUnit, kUnit);
  grouped.groups = 4;
  CHECK_FALSE(few(grouped));
}

TEST_CASE("gradients of weights that are written past the caches are those of few voxels, by any number of threads") {
  const Conv3dProblem p = problem_of_few(2, {1, 1, 2}, 1024, 1040, kUnit, kUnit, kFlush);  // 4 MiB and more
  REQUIRE(few(p));
  const Tensor x = noise({2, 1, 1, 2, 1024}, 1), gy = noise({2, 1, 1, 2, 1040}, 2), first = Tensor::zeros({1040, 1, 1, 1, 1024});
  for (const int workers : {1, 2, 3}) {
    const int before = threads();
    set_threads(workers);
    const Tensor gw = Tensor::zeros(first.shape());
    conv3d_weight_gradient(Cpu{}, p, x.view(), gy.view(), workers == 1 ? first.view() : gw.view());
    set_threads(before);
    if (workers > 1) CHECK(std::memcmp(gw.data<float>().data(), first.data<float>().data(), size_t(gw.count()) * 4) == 0);
  }
  double worst = 0;
  for (int64_t k = 0; k < 1040; ++k)
    for (int64_t c = 0; c < 1024; ++c) {
      double sum = 0;
      for (int64_t v = 0; v < 4; ++v) sum += double(gy.data<float>()[size_t(v * 1040 + k)]) * x.data<float>()[size_t(v * 1024 + c)];
      worst = std::max(worst, std::abs(sum - first.data<float>()[size_t(k * 1024 + c)]));
    }
  CHECK(worst < 1e-5);
}
