// Halos of which shared memory holds one: with several chunks of channels a tile would bring it anew for each of them.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

TEST_CASE("convolutions by wgmma: none waits for a halo that its own products still hold") {
  // As many samples as leave no share of the chunks to other blocks; two taps along each axis, eight voxels apart.
  const Conv3dProblem p{.n = 66, .c = 64, .k = 24, .in = {10, 16, 16}, .out = {2, 8, 8}, .kernel = {2, 2, 2}, .stride = {1, 1, 1},
                        .padding = {0, 0, 0}, .dilation = {8, 8, 8}};
  const Shape of_x = {p.n, 10, 16, 16, p.c}, of_w = {p.k, 2, 2, 2, p.c}, of_y = {p.n, 2, 8, 8, p.k};
  const Tensor x = noise(of_x, 1).to(DType::bf16), w = noise(of_w, 2), wanted = Tensor::zeros(of_y, DType::bf16);
  conv3d_forward(Cpu{}, p, x.view(), w.view(), {}, wanted.view());
  const Tensor there = x.to(kCard), weights = w.to(kCard), y = Tensor::zeros(of_y, DType::bf16, kCard);
  const emulator::Described device(90, 132);
  setenv("VOXGRAD_CONV_CUDA", "wgmma", 1);
  cuda::synchronize(card());
  const emulator::Counting counting(there.view().data, there.bytes());
  conv3d_forward(card(), p, there.view(), weights.view(), {}, y.view());
  const Tensor back = y.to(Device{});
  unsetenv("VOXGRAD_CONV_CUDA");
  CHECK(counting.of("conv3d_wgmma_kernel").products > 0);
  CHECK(difference(back, wanted) <= 0.25);  // the last bit of sums up to 64
}
