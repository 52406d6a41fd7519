// What convolutions by Winograd's F(2, 3) along H do, beside those by mma: two products for three, fewer bytes of shared memory, no
// conflicts.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

emulator::KernelCounts counts_of(const char* way, const char* kernel, const Tensor& x, const Tensor& w) {
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  cuda::synchronize(card());
  const emulator::Counting counting(x.view().data, x.bytes());
  const Tensor y = conv3d(x, w, {}, {.padding = {1, 1, 1}});
  CHECK(y.to(Device{}).values()[0] != 0);
  unsetenv("VOXGRAD_CONV_CUDA");
  return counting.of(kernel);
}

ConvTraffic traffic_of(const char* way, const Conv3dProblem& p) {
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  const ConvTraffic t = conv3d_forward_traffic(card(), p, DType::bf16);
  unsetenv("VOXGRAD_CONV_CUDA");
  return t;
}

}  // namespace

TEST_CASE("convolutions by Winograd along H: two products for three of mma, from fewer bytes of shared memory, without conflicts",
          "[counts]") {
  struct Layer {
    Shape x;
    int64_t outputs;
    double matrices;  // that operands are, over those of mma, at most
  };
  const Layer layers[] = {{{1, 4, 16, 16, 64}, 64, 0.7}, {{1, 4, 16, 16, 64}, 128, 0.7}, {{1, 2, 8, 8, 96}, 128, 0.7}};
  for (const Layer& l : layers)
    for (const DType t : {DType::bf16, DType::f16}) {
      const Tensor x = Tensor::full(l.x, 0.5, t, kCard), w = Tensor::full({l.outputs, 3, 3, 3, l.x[4]}, 0.5, DType::f32, kCard);
      const emulator::KernelCounts direct = counts_of("mma", "conv3d_mma_kernel", x, w);
      const emulator::KernelCounts c = counts_of("winograd", "conv3d_winograd_mma_kernel", x, w);
      CAPTURE(l.x, l.outputs, name_of(t), c.products, direct.products, c.matrices, direct.matrices, c.copied, direct.copied, c.barriers,
              direct.barriers, c.accesses, direct.accesses, c.blocks, direct.blocks, c.watched, direct.watched);
      CHECK(3 * c.products == 2 * direct.products);
      CHECK(double(c.matrices) <= l.matrices * double(direct.matrices));
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
    }
}

TEST_CASE("convolutions by Winograd along H: what the plan says that is read is what is read") {
  const Shape s{2, 5, 12, 9, 72};
  const Tensor x = Tensor::full(s, 0.5, DType::bf16, kCard), w = Tensor::full({200, 3, 3, 3, 72}, 0.5, DType::f32, kCard);
  const emulator::KernelCounts c = counts_of("winograd", "conv3d_winograd_mma_kernel", x, w);
  const ConvTraffic t = traffic_of("winograd", {.n = 2, .c = 72, .k = 200, .in = {5, 12, 9}, .out = {5, 12, 9}, .kernel = {3, 3, 3},
                                                .stride = {1, 1, 1}, .padding = {1, 1, 1}, .dilation = {1, 1, 1}});
  CHECK(double(c.watched) == t.activations);
}
