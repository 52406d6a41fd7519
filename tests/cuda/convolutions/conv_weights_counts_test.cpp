// What gradients of weights by mma do, counted in the emulator: shared memory without conflicts, the products that there are, and the bytes
// that a profile tells.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

TEST_CASE("gradients of weights by mma: operands lie in different banks, products and bytes are those that the taps and tiles need") {
  // products: of those that are computed per one that there is, where nine taps of a plane, or all of them, do not fill groups of nine.
  struct Layer {
    Int3 in;
    int64_t inputs, outputs;
    Int3 kernel, stride;
    double products = 1;
    int dilation = 1;
  };
  const Int3 three{3, 3, 3}, five{5, 5, 5}, seven{7, 7, 7}, two{2, 2, 2};
  const Layer layers[] = {{{4, 8, 16}, 32, 64, three, {1, 1, 1}},
                          {{4, 8, 16}, 64, 32, three, {1, 1, 1}},
                          {{8, 16, 16}, 32, 64, three, two},
                          {{8, 16, 16}, 32, 128, three, two},
                          {{4, 16, 32}, 32, 64, {1, 3, 3}, {1, 2, 2}},
                          {{8, 16, 16}, 32, 64, {1, 3, 3}, two},
                          {{8, 16, 16}, 32, 64, {3, 3, 1}, {2, 2, 1}},
                          {{16, 16, 16}, 32, 32, {3, 3, 1}, two},
                          {{8, 16, 16}, 32, 64, five, two, 135. / 125},
                          {{4, 8, 16}, 32, 64, five, {1, 1, 1}, 135. / 125},
                          {{8, 16, 16}, 32, 64, seven, two, 54. / 49},
                          // Nine taps with a halo each.
                          {{4, 8, 16}, 32, 64, three, {1, 1, 1}, 1, 12},
                          {{2, 8, 16}, 32, 32, five, {1, 1, 1}, 126. / 125, 6}};
  struct Kind {
    DType dtype;
    bool exact;
    int64_t depth;  // voxels that a product sums over; it has 16 x 8 channels
  };
  setenv("VOXGRAD_CONV_CUDA", "mma", 1);
  for (const Layer& l : layers)
    for (const auto& [dtype, exact, depth] : {Kind{DType::bf16, false, 16}, {DType::f16, false, 16}, {DType::f32, false, 8},
                                              {DType::f32, true, 8}}) {
      if (l.kernel.d > 3 && dtype == DType::f16) continue;  // as bf16
      const Int3 half{l.kernel.d / 2 * l.dilation, l.kernel.h / 2 * l.dilation, l.kernel.w / 2 * l.dilation};
      Conv3dProblem p{.n = 1, .c = l.inputs, .k = l.outputs, .in = l.in, .kernel = l.kernel, .stride = l.stride, .padding = half,
                      .dilation = {l.dilation, l.dilation, l.dilation}, .exact_f32 = exact};
      for (int a = 0; a < 3; ++a) p.out[a] = (l.in[a] + 2 * half[a] - (l.kernel[a] - 1) * l.dilation - 1) / l.stride[a] + 1;
      const Tensor x = Tensor::full({1, l.in.d, l.in.h, l.in.w, l.inputs}, 0.5, dtype, kCard);
      const Tensor gy = Tensor::full({1, p.out.d, p.out.h, p.out.w, l.outputs}, 0.25, dtype, kCard);
      const Tensor gw = Tensor::zeros({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, l.inputs}, DType::f32, kCard);
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      conv3d_weight_gradient(card(), p, x.view(), gy.view(), gw.view());
      CHECK(gw.to(Device{}).values()[size_t(p.taps() / 2 * p.c)] > 0);
      const emulator::KernelCounts c = counting.of("conv3d_mma_weights_kernel");
      const double told = conv3d_weight_gradient_traffic(card(), p, dtype).activations;
      const double products = double(p.out_voxels() * p.weights()) / double(16 * 8 * depth) * (exact ? 3 : 1);
      CAPTURE(l.in, l.inputs, l.outputs, l.kernel, l.stride, l.dilation, name_of(dtype), exact, c.watched, c.copied, told, products,
              c.products, c.matrices, c.load_conflicts, c.store_conflicts, c.barriers);
      CHECK((c.matrices > 0) == (dtype != DType::f32));  // those of f32 are read by words
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(double(c.copied) == told);
      CHECK(double(c.products) >= products);
      CHECK(double(c.products) <= l.products * products * 1.0001);
    }
  unsetenv("VOXGRAD_CONV_CUDA");
}
