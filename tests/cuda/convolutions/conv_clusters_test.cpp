// Blocks of channels, and by mma of taps, that share the halo of a tile as a cluster: the bits of results are those of blocks that load it
// for themselves, and what is read of memory is what the plan says.
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
  Int3 kernel = {3, 3, 3};
  int stride = 1;
  int64_t groups = 1;
  bool exact = false;
  int sharing = 2, cluster = 4;  // blocks of a tile that share its halo, and blocks of a cluster
  int dilation = 1;
};
Conv3dProblem problem_of(const Wide& l) {
  Conv3dProblem p{.n = l.x[0], .c = l.x[4], .k = l.outputs, .groups = int(l.groups), .in = {int(l.x[1]), int(l.x[2]), int(l.x[3])},
                  .kernel = l.kernel, .stride = {l.stride, l.stride, l.stride},
                  .dilation = {l.dilation, l.dilation, l.dilation}, .exact_f32 = l.exact};
  for (int a = 0; a < 3; ++a) {
    const int reach = (l.kernel[a] - 1) * l.dilation;
    p.padding[a] = (reach + 1) / 2;
    p.out[a] = (p.in[a] + 2 * p.padding[a] - reach - 1) / l.stride + 1;
  }
  return p;
}
bool by_mma(const Wide& l) { return l.way == std::string("mma"); }

// Results, statistics and what is read of l forward: alike by clusters, by one cluster that does all, and by blocks each for itself.
void check_layer(const Wide& l) {
  CAPTURE(l.way, l.x, l.outputs, l.kernel, l.stride, name_of(l.dtype));
  setenv("VOXGRAD_CONV_CUDA", l.way, 1);
  const Conv3dProblem p = problem_of(l);
  const Tensor x = some(l.x, l.dtype, 1), w = some({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, l.x[4] / l.groups}, DType::f32, 2);
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
    const emulator::KernelCounts c = counting.of(by_mma(l) ? "conv3d_mma_kernel" : "conv3d_wgmma_kernel");
    const ConvTraffic t = conv3d_forward_traffic(card(), p, l.dtype);
    CAPTURE(multiprocessors, c.blocks, c.watched, t.activations, t.halos);
    CHECK(c.products > 0);
    CHECK(c.conflicts == 0);
    // By wgmma f32 is rounded by the threads that load it.
    const bool rounded = l.dtype == DType::f32 && !by_mma(l);
    CHECK((rounded || double(c.watched) == t.activations));
    rereads = t.rereads();
    return all;
  };
  const std::vector<double> shared = run(kLarge);
  const double once = rereads;
  CHECK(shared == run(l.cluster));
  CHECK(rereads == once);
  CHECK(shared == run(kSmall));
  CHECK(rereads == l.sharing * once);
  unsetenv("VOXGRAD_CONV_CUDA");
}

}  // namespace

TEST_CASE("convolutions by wgmma: blocks of channels share halos, with the bits of those that load them, and read what the plan says") {
  // Two blocks of 160 channels and two tiles; three and four of them; nine tiles, of which the last cluster has one; a single tile; even
  // and odd positions; products of parts; groups of two blocks each.
  const DType b = DType::bf16, f = DType::f32;
  const Int3 two{2, 2, 2}, three{3, 3, 3};
  const Wide layers[] = {{"wgmma", b, {1, 4, 8, 16, 64}, 320},
                         {"wgmma", f, {1, 2, 8, 16, 32}, 480, three, 1, 1, false, 3, 6},
                         {"wgmma", DType::f16, {1, 4, 8, 8, 40}, 640, three, 1, 1, false, 4, 8},
                         {"wgmma", b, {1, 6, 8, 24, 32}, 256, two},
                         {"wgmma", b, {1, 2, 5, 7, 64}, 640, three, 1, 1, false, 4, 4},
                         {"wgmma", f, {1, 2, 8, 16, 16}, 128, three, 1, 1, true},
                         {"wgmma", b, {1, 2, 8, 16, 64}, 512, three, 1, 2},
                         {"tma", b, {1, 4, 8, 16, 96}, 320},
                         {"tma", f, {1, 2, 8, 16, 32}, 480, three, 1, 1, false, 3, 6},
                         {"tma", b, {1, 4, 16, 32, 64}, 320, three, 2},
                         {"tma", b, {1, 6, 8, 24, 32}, 256, two}};
  for (const Wide& l : layers) check_layer(l);
}

TEST_CASE("convolutions by mma: blocks of channels and of taps share halos, with the bits of those that load them") {
  // A tile of 4^3 in two blocks of channels and three of taps, and more of them; rings of chunks of one, three, four and five taps, of
  // which the last one has no room for a buffer more; with stride 2 one halo at a time; channels that are no whole pieces; parts; groups.
  const DType b = DType::bf16, f = DType::f32;
  const Wide layers[] = {{"mma", b, {2, 4, 4, 4, 64}, 320, {3, 3, 3}, 1, 1, false, 6, 6},
                         {"mma", f, {1, 4, 4, 6, 32}, 320, {3, 3, 3}, 1, 1, false, 6, 6},
                         {"mma", b, {1, 4, 8, 9, 256}, 320, {1, 1, 1}, 1, 1, false, 2, 2},
                         {"mma", f, {1, 4, 8, 9, 128}, 256, {1, 1, 3}, 1, 1, false, 2, 2},
                         {"mma", DType::f16, {1, 4, 8, 9, 128}, 320, {1, 2, 2}, 1, 1, false, 2, 2},
                         {"mma", b, {1, 1, 16, 32, 160}, 320, {1, 1, 5}, 1, 1, false, 2, 2, 8},
                         {"mma", b, {1, 4, 8, 9, 72}, 640, {1, 2, 2}, 2, 1, false, 4, 4},
                         {"mma", b, {1, 4, 4, 9, 70}, 320, {1, 1, 3}, 1, 1, false, 2, 2},
                         {"mma", f, {1, 2, 4, 9, 48}, 192, {1, 1, 3}, 1, 1, true, 3, 3},
                         {"mma", b, {1, 2, 4, 8, 128}, 512, {1, 2, 2}, 1, 2, false, 2, 2}};
  for (const Wide& l : layers) check_layer(l);
}

TEST_CASE("convolutions: what is normalised and concatenated is read once by the blocks of channels of a tile", "[counts]") {
  const Tensor x = some({1, 4, 8, 16, 32}, DType::bf16, 1), skip = some({1, 4, 8, 16, 32}, DType::bf16, 2);
  const Tensor w = some({320, 3, 3, 3, 64}, DType::f32, 3);
  const std::vector<ConvSource> sources = {{.x = x, .normalised = true, .slope = 0.01}, {.x = skip}};
  for (const std::string way : {"wgmma", "mma"}) {
    setenv("VOXGRAD_CONV_CUDA", way.c_str(), 1);
    const auto run = [&](int multiprocessors, int64_t& watched) {
      const emulator::Described device(90, multiprocessors);
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      const std::vector<double> y = conv3d_fused(sources, w, {}, {.padding = {1, 1, 1}}).values();
      watched = counting.of("conv3d_" + way + "_kernel").watched;
      return y;
    };
    int64_t shared = 0, alone = 0;
    const std::vector<double> y = run(kLarge, shared);
    CHECK(y == run(kSmall, alone));
    unsetenv("VOXGRAD_CONV_CUDA");
    CAPTURE(way, shared, alone);
    CHECK((shared > 0 && alone % shared == 0 && alone >= 2 * shared));
  }
}

TEST_CASE("convolutions by mma: the gradient of an input by residues of the stride shares the halos of gy") {
  const Conv3dProblem p{.n = 1, .c = 320, .k = 96, .in = {2, 4, 9}, .out = {1, 2, 5}, .kernel = {3, 3, 3}, .stride = {2, 2, 2},
                        .padding = {1, 1, 1}, .dilation = {1, 1, 1}};
  const Tensor gy = some({1, 1, 2, 5, 96}, DType::bf16, 1), w = some({96, 3, 3, 3, 320}, DType::f32, 2);
  setenv("VOXGRAD_CONV_CUDA", "mma", 1);
  const auto run = [&](int multiprocessors, double& rereads) {
    const emulator::Described device(90, multiprocessors);
    const Tensor gx = Tensor::zeros({1, 2, 4, 9, 320}, DType::bf16, kCard);
    cuda::synchronize(card());
    const emulator::Counting counting(gy.view().data, gy.bytes());
    conv3d_input_gradient(card(), p, gy.view(), w.view(), {}, gx.view());
    const std::vector<double> values = gx.values();
    const ConvTraffic t = conv3d_input_gradient_traffic(card(), p, DType::bf16);
    CHECK(double(counting.of("conv3d_mma_kernel").watched) == t.activations);
    rereads = t.rereads();
    return values;
  };
  double shared = 0, alone = 0;
  CHECK(run(kLarge, shared) == run(kSmall, alone));
  unsetenv("VOXGRAD_CONV_CUDA");
  CHECK(shared == 1);
  CHECK(alone >= 2);
}
