// Halos of which shared memory holds one, of which a tile brings a chunk of channels after the other, and larger ones, of which it brings
// those of a slice of the taps after the other.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
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

TEST_CASE("convolutions by slices of their taps: operands lie in different banks, products and bytes are those that taps and tiles need",
          "[counts]") {
  // 128 outputs, a tile; taps of a slice along D and H, along W and one.
  struct Layer {
    Int3 in;
    int64_t inputs, outputs;
    Int3 kernel, stride;
    int dilation = 1;
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3}, five{5, 5, 5}, seven{7, 7, 7};
  const Layer layers[] = {{{8, 8, 16}, 32, 64, five, two},     {{8, 8, 16}, 16, 32, seven, two}, {{4, 4, 8}, 64, 32, three, one, 6},
                          {{4, 4, 8}, 32, 16, three, one, 12}, {{2, 8, 8}, 40, 72, three, one, 5}, {{4, 4, 8}, 32, 128, five, one, 4}};
  setenv("VOXGRAD_CONV_CUDA", "mma", 1);
  for (const Layer& l : layers)
    for (const auto& [t, exact] : {std::pair{DType::bf16, false}, {DType::f32, false}, {DType::f32, true}}) {
      if (t == DType::f32 && l.kernel.d > 3) continue;
      Conv3dProblem p{.n = 1, .c = l.inputs, .k = l.outputs, .in = l.in, .kernel = l.kernel, .stride = l.stride,
                      .dilation = {l.dilation, l.dilation, l.dilation}, .exact_f32 = exact};
      for (int a = 0; a < 3; ++a) {
        p.padding[a] = l.kernel[a] / 2 * l.dilation;
        p.out[a] = (l.in[a] + 2 * p.padding[a] - (l.kernel[a] - 1) * l.dilation - 1) / l.stride[a] + 1;
      }
      const Tensor x = Tensor::full({1, p.in.d, p.in.h, p.in.w, p.c}, 0.5, t, kCard),
                   y = Tensor::zeros({1, p.out.d, p.out.h, p.out.w, p.k}, t, kCard),
                   w = Tensor::full({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c}, 0.5, DType::f32, kCard);
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      conv3d_forward(card(), p, x.view(), w.view(), {}, y.view());
      cuda::synchronize(card());
      const emulator::KernelCounts c = counting.of("conv3d_mma_sliced_kernel");
      const ConvTraffic told = conv3d_forward_traffic(card(), p, t);
      CAPTURE(l.kernel, l.stride, l.dilation, name_of(t), exact, c.blocks, c.barriers, c.products, c.watched, told.activations, told.halos,
              c.load_conflicts, c.store_conflicts);
      const int64_t chunk = t == DType::f32 ? 16 : 32, chunks = (p.c + chunk - 1) / chunk, columns = p.k <= 64 ? p.k : 128;
      CHECK(c.products == 128 / 16 * columns / 8 * chunks * p.taps() * 2 * (exact ? 3 : 1) * ((p.k + 127) / 128));
      CHECK(c.conflicts == 0);
      CHECK(double(c.watched) == told.activations);
      CHECK(c.load_conflicts <= (t == DType::bf16 && p.k == 32 ? c.blocks * 64 : 0));  // as outputs leave
      CHECK(c.store_conflicts == 0);
    }
  unsetenv("VOXGRAD_CONV_CUDA");
}
