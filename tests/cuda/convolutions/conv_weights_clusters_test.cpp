// Gradients of weights by wgmma whose blocks share, as a cluster, halos of x and tiles of gy: the bits are those of blocks that load all
// for themselves, and what is read of memory is what the plan says.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

// Multiprocessors that have places for no cluster, and for all that the plan would have.
constexpr int kAlone = 1, kAll = 132;

Tensor uniform(int64_t count, DType t, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> v(static_cast<size_t>(count));
  for (float& f : v) f = float(rng.uniform(-1, 1));
  return Tensor::from(v, {count}, kCard).to(t);
}

struct Shared {
  const char* way;
  DType dtype;
  Conv3dProblem problem;
  double rereads;  // where all clusters have places
  bool normalised = false;
};
// Convolution n x {in} of inputs to outputs channels.
Conv3dProblem layer(int64_t n, Int3 in, int64_t inputs, int64_t outputs, Int3 kernel = {3, 3, 3}, Int3 stride = {1, 1, 1},
                    int groups = 1, Int3 dilation = {1, 1, 1}) {
  Conv3dProblem p{.n = n, .c = inputs, .k = outputs, .groups = groups, .in = in, .kernel = kernel, .stride = stride, .dilation = dilation};
  for (int a = 0; a < 3; ++a) {
    const int wide = (kernel[a] - 1) * dilation[a];
    p.padding[a] = wide / 2;
    p.out[a] = (in[a] + 2 * p.padding[a] - wide - 1) / stride[a] + 1;
  }
  return p;
}

struct Summed {
  std::vector<double> gw;
  double rereads = 0;
};
Summed sum_on(int multiprocessors, const Shared& l) {
  const Conv3dProblem& p = l.problem;
  const int64_t of_x = p.n * p.in.d * p.in.h * p.in.w * p.c, of_gy = p.out_voxels() * p.k;
  const emulator::Described device(90, multiprocessors);
  // Both in one range of memory, which is watched.
  const Tensor both = uniform(of_x + of_gy, l.dtype, 1), coefficients = uniform(p.n * 3 * p.c, DType::f32, 2);
  const Tensor gw = Tensor::zeros({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, DType::f32, kCard);
  const View x = both.view(), gy{static_cast<char*>(x.data) + of_x * int64_t(size_of(l.dtype)), l.dtype};
  cuda::synchronize(card());
  const emulator::Counting counting(x.data, both.bytes());
  if (l.normalised) {
    const ConvPart part{.x = x, .channels = p.c, .coefficients = coefficients.view(), .slope = 0.1};
    conv3d_weight_gradient(card(), p, &part, 1, gy, gw.view());
  } else {
    conv3d_weight_gradient(card(), p, x, gy, gw.view());
  }
  Summed s{.gw = gw.values()};
  const emulator::KernelCounts c = counting.of("conv3d_wgmma_weights_kernel");
  const ConvTraffic t = conv3d_weight_gradient_traffic(card(), p, l.dtype);
  s.rereads = t.rereads();
  CAPTURE(l.way, name_of(l.dtype), p.c, p.k, multiprocessors, c.blocks, c.watched, t.activations, t.halos);
  CHECK(c.products > 0);
  CHECK(c.conflicts == 0);
  CHECK(double(c.watched) == t.activations);
  return s;
}

}  // namespace

TEST_CASE("gradients of weights by wgmma: blocks share x and gy, with the bits of those that load them, and read what the plan says") {
  const DType b = DType::bf16, h = DType::f16, f = DType::f32;
  const Int3 three{3, 3, 3}, flat{1, 3, 3}, one{1, 1, 1}, two{2, 2, 2};
  const Shared layers[] = {{"wgmma", b, layer(1, {4, 8, 8}, 64, 64), 1},
                           {"wgmma", b, layer(1, {2, 8, 8}, 96, 160), 1.75},
                           {"wgmma", h, layer(1, {8, 8, 16}, 64, 32), 1.08},
                           {"wgmma", f, layer(1, {2, 8, 8}, 32, 160), 1},
                           {"wgmma", b, layer(1, {4, 8, 8}, 32, 32, {5, 5, 5}), 1},
                           {"wgmma", b, layer(2, {2, 8, 8}, 128, 64, three, one, 2), 1},
                           {"wgmma", b, layer(1, {4, 8, 8}, 40, 44), 1},
                           {"wgmma", f, layer(1, {2, 8, 8}, 24, 42), 1},
                           {"wgmma", b, layer(1, {4, 8, 8}, 64, 64), 1, true},
                           {"wgmma", f, layer(1, {4, 8, 8}, 32, 64), 1, true},
                           {"tma", b, layer(1, {4, 8, 8}, 64, 64), 1},
                           {"tma", h, layer(1, {4, 16, 16}, 64, 64, three, two), 1},
                           {"tma", b, layer(1, {8, 8, 16}, 64, 32), 1.08},
                           {"tma", b, layer(2, {2, 8, 8}, 128, 64, three, one, 2), 1},
                           // Five tiles of a block, of which four have room, and three, of which two have.
                           {"wgmma", b, layer(17, {1, 4, 16}, 512, 768, flat, one, 8), 1},
                           {"tma", b, layer(9, {1, 8, 8}, 512, 512, three, one, 8, {2, 4, 4}), 1}};
  for (const Shared& l : layers) {
    CAPTURE(l.way, name_of(l.dtype), l.problem.c, l.problem.k);
    setenv("VOXGRAD_CONV_CUDA", l.way, 1);
    const Summed shared = sum_on(kAll, l), alone = sum_on(kAlone, l);
    unsetenv("VOXGRAD_CONV_CUDA");
    CHECK(shared.gw == alone.gw);
    CAPTURE(alone.rereads, shared.rereads);
    CHECK(shared.rereads <= l.rereads);
    CHECK(shared.rereads < alone.rereads);
  }
  // Where they are told not to.
  setenv("VOXGRAD_CONV_CLUSTERS", "0", 1);
  const emulator::Described device(90, kAll);
  const Conv3dProblem deep = layer(2, {16, 16, 16}, 256, 256);
  CHECK(conv3d_weight_gradient_traffic(card(), deep, b).rereads() > 10);
  CHECK(conv3d_forward_traffic(card(), deep, b).rereads() == 2);
  setenv("VOXGRAD_CONV_CLUSTERS", "no", 1);
  CHECK_THROWS_WITH(conv3d_forward_traffic(card(), deep, b), "VOXGRAD_CONV_CLUSTERS: no; 0 and 1 are possible");
  unsetenv("VOXGRAD_CONV_CLUSTERS");
  CHECK(conv3d_weight_gradient_traffic(card(), deep, b).rereads() < 3);
}
