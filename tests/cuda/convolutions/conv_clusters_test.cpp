// Blocks of channels that share the halo of a tile as a cluster: the bits of results are those of blocks that load it for themselves, and
// what is read of memory is what the plan says.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

// Multiprocessors on which no cluster of blocks of channels has a place, and those that have places for all of these layers at once.
constexpr int kSmall = 1, kLarge = 132;

Tensor some(const Shape& s, DType t, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> v(size_t(s.count()));
  for (float& f : v) f = float(rng.uniform(-1, 1));
  return Tensor::from(v, s, kCard).to(t);
}

struct Wide {
  const char* way;
  DType dtype;
  Shape x;
  int64_t outputs;
  int kernel = 3, stride = 1;
  int64_t groups = 1;
  bool exact = false;
  int columns = 2, cluster = 4;  // blocks of channels, and blocks of a cluster
};
Conv3dProblem problem_of(const Wide& l) {
  const int half = l.kernel / 2;
  const auto out = [&](int64_t in) { return (int(in) + 2 * half - l.kernel) / l.stride + 1; };
  return {.n = l.x[0], .c = l.x[4], .k = l.outputs, .groups = int(l.groups), .in = {int(l.x[1]), int(l.x[2]), int(l.x[3])},
          .out = {out(l.x[1]), out(l.x[2]), out(l.x[3])}, .kernel = {l.kernel, l.kernel, l.kernel},
          .stride = {l.stride, l.stride, l.stride}, .padding = {half, half, half}, .dilation = {1, 1, 1}, .exact_f32 = l.exact};
}

}  // namespace

TEST_CASE("convolutions by wgmma: blocks of channels share halos, with the bits of those that load them, and read what the plan says") {
  // Two blocks of 160 channels and two tiles; three and four of them; nine tiles, of which the last cluster has one; a single tile; even
  // and odd positions; products of parts; groups of two blocks each.
  const DType b = DType::bf16, f = DType::f32;
  const Wide layers[] = {{"wgmma", b, {1, 4, 8, 16, 64}, 320},
                         {"wgmma", f, {1, 2, 8, 16, 32}, 480, 3, 1, 1, false, 3, 6},
                         {"wgmma", DType::f16, {1, 4, 8, 8, 40}, 640, 3, 1, 1, false, 4, 8},
                         {"wgmma", b, {1, 6, 8, 24, 32}, 256, 2},
                         {"wgmma", b, {1, 2, 5, 7, 64}, 640, 3, 1, 1, false, 4, 4},
                         {"wgmma", f, {1, 2, 8, 16, 16}, 128, 3, 1, 1, true},
                         {"wgmma", b, {1, 2, 8, 16, 64}, 512, 3, 1, 2},
                         {"tma", b, {1, 4, 8, 16, 96}, 320},
                         {"tma", f, {1, 2, 8, 16, 32}, 480, 3, 1, 1, false, 3, 6},
                         {"tma", b, {1, 4, 16, 32, 64}, 320, 3, 2},
                         {"tma", b, {1, 6, 8, 24, 32}, 256, 2}};
  for (const Wide& l : layers) {
    CAPTURE(l.way, l.x, l.outputs, l.kernel, l.stride, name_of(l.dtype));
    setenv("VOXGRAD_CONV_CUDA", l.way, 1);
    const Conv3dProblem p = problem_of(l);
    const Tensor x = some(l.x, l.dtype, 1), w = some({l.outputs, l.kernel, l.kernel, l.kernel, l.x[4] / l.groups}, DType::f32, 2);
    double rereads = 0;
    const auto run = [&](int multiprocessors) {
      const emulator::Described device(90, multiprocessors);
      const Tensor y = Tensor::zeros({p.n, p.out.d, p.out.h, p.out.w, l.outputs}, l.dtype, kCard);
      const Tensor stats = Tensor::zeros({3, p.n, l.outputs}, DType::f32, kCard);
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      conv3d_forward(card(), p, x.view(), w.view(), {}, y.view(), {.stats = stats.view(), .eps = 1e-5, .groups = l.outputs});
      std::vector<double> all = y.values();
      const std::vector<double> moments = stats.values();
      all.insert(all.end(), moments.begin(), moments.end());
      const emulator::KernelCounts c = counting.of("conv3d_wgmma_kernel");
      const ConvTraffic t = conv3d_forward_traffic(card(), p, l.dtype);
      CAPTURE(multiprocessors, c.blocks, c.watched, t.activations, t.halos);
      CHECK(c.products > 0);
      CHECK(c.conflicts == 0);
      CHECK((l.dtype == f || double(c.watched) == t.activations));
      rereads = t.rereads();
      return all;
    };
    // Once for an item, and by one cluster for all of them.
    const std::vector<double> shared = run(kLarge);
    const double once = rereads;
    CHECK(shared == run(l.cluster));
    CHECK(rereads == once);
    CHECK(shared == run(kSmall));
    CHECK(rereads == l.columns * once);
    unsetenv("VOXGRAD_CONV_CUDA");
  }
}

TEST_CASE("convolutions by wgmma: what is normalised and concatenated is read once by the blocks of channels of a tile") {
  const Tensor x = some({1, 4, 8, 16, 32}, DType::bf16, 1), skip = some({1, 4, 8, 16, 32}, DType::bf16, 2);
  const Tensor w = some({320, 3, 3, 3, 64}, DType::f32, 3);
  const std::vector<ConvSource> sources = {{.x = x, .normalised = true, .slope = 0.01}, {.x = skip}};
  setenv("VOXGRAD_CONV_CUDA", "wgmma", 1);
  const auto run = [&](int multiprocessors, int64_t& watched) {
    const emulator::Described device(90, multiprocessors);
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    const std::vector<double> y = conv3d_fused(sources, w, {}, {.padding = {1, 1, 1}}).values();
    watched = counting.of("conv3d_wgmma_kernel").watched;
    return y;
  };
  int64_t shared = 0, alone = 0;
  const std::vector<double> y = run(kLarge, shared);
  CHECK(y == run(kSmall, alone));
  unsetenv("VOXGRAD_CONV_CUDA");
  if (emulator::kCountsAccesses) CHECK((shared > 0 && alone == 2 * shared));
}
