// What the tensor-core kernels of convolutions do, counted: shared memory without conflicts, each activation once per block, and a
// barrier for each tap.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

namespace {

struct Layer {
  Shape x;
  int64_t outputs;
  int kernel, stride;
  // Bytes of activations read per byte there is, and products of a warp per barrier of a block, at most and at the least.
  double rereads, products;
};

// By kernels of this way (conv3d_choice_kernels.h).
emulator::KernelCounts counts_of(const Layer& l, DType dtype, const char* way) {
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  const auto on_card = [](const Shape& s, DType d) { return Tensor::full(s, 0.5, d, kCard); };
  const Tensor x = on_card(l.x, dtype), w = on_card({l.outputs, l.kernel, l.kernel, l.kernel, l.x[4]}, DType::f32);
  cuda::synchronize(card());
  const emulator::Counting counting(x.view().data, x.shape().count() * int64_t(size_of(dtype)));
  const int half = l.kernel / 2;
  const Tensor y = conv3d(x, w, {}, {.stride = {l.stride, l.stride, l.stride}, .padding = {half, half, half}});
  CHECK(y.to(Device{}).values()[0] != 0);
  unsetenv("VOXGRAD_CONV_CUDA");
  const std::string name = way, of = name.starts_with("lines") ? "wgmma_lines" : name == "tma" ? "wgmma" : name;
  return counting.of("conv3d_" + of + "_kernel");
}

}  // namespace

TEST_CASE("convolutions on tensor cores: operands lie in different banks, and a block reads each activation once", "[counts]") {
  // Halos of tiles inside the volume: 4 x 4 x 8 outputs read 2.8 times as many voxels, 4 x 8 x 8 read 2.3 times, and shares of the taps and
  // blocks of the output channels read them again.
  const Layer layers[] = {
      {{1, 8, 16, 16, 32}, 32, 3, 1, 2.9 * 3, 40}, {{1, 8, 8, 16, 64}, 64, 3, 1, 2.9 * 3, 60}, {{1, 8, 8, 16, 64}, 128, 3, 1, 2.9 * 3, 100},
      {{2, 4, 4, 4, 64}, 160, 3, 1, 3, 60},        {{1, 8, 16, 16, 32}, 64, 3, 2, 2.9 * 2, 50}, {{1, 8, 8, 16, 64}, 64, 1, 1, 1, 30},
      {{1, 1, 32, 64, 32}, 32, 3, 1, 1.5 * 3, 20}};
  for (const Layer& l : layers)
    for (const DType dtype : {DType::bf16, DType::f16, DType::f32}) {
      const emulator::KernelCounts c = counts_of(l, dtype, "mma");
      CAPTURE(l.x, l.outputs, l.kernel, l.stride, c.watched, c.barriers, c.products, c.accesses, c.load_conflicts, c.store_conflicts);
      CHECK(c.matrices > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      const int64_t bytes = l.x.count() * int64_t(size_of(dtype));
      CHECK(c.watched >= bytes);
      CHECK(double(c.watched) <= l.rereads * double(bytes));
      CHECK(double(c.products) >= l.products * double(c.barriers));
    }
}

TEST_CASE("convolutions by wgmma: operands lie in different banks, activations are read once per tile, and few barriers are waited for",
          "[counts]") {
  // Tiles of 4 x 8 x 8 outputs read 6 x 10 x 10 voxels, 2.4 times as many, and three shares of the taps read them again; with a kernel of 5
  // they read 8 x 12 x 12, in five shares. Warps wait for weights of several taps and 64 bytes of channels at once, and for each halo.
  struct Wide {
    Shape x;
    int64_t outputs;
    int kernel, stride;
    double rereads, products;  // as above; of a warpgroup per wait of a warp
  };
  const Wide layers[] = {{{1, 16, 16, 16, 32}, 32, 3, 1, 2.4 * 3, 0.9}, {{1, 8, 16, 16, 64}, 64, 3, 1, 2.4 * 3, 0.9},
                         {{1, 8, 16, 16, 32}, 128, 3, 1, 2.4 * 3, 0.9}, {{1, 8, 16, 16, 64}, 160, 3, 1, 2.4 * 3, 0.6},
                         {{1, 16, 16, 16, 32}, 64, 3, 2, 3.6, 1.2},     {{1, 8, 16, 16, 32}, 64, 5, 1, 4.5 * 5, 0.8}};
  for (const Wide& l : layers)
    for (const DType dtype : {DType::bf16, DType::f16, DType::f32}) {
      const emulator::KernelCounts c = counts_of({l.x, l.outputs, l.kernel, l.stride, 0, 0}, dtype, "wgmma");
      CAPTURE(l.x, l.outputs, l.kernel, l.stride, name_of(dtype), c.watched, c.waits, c.products, c.matrices, c.accesses, c.load_conflicts,
              c.store_conflicts);
      CHECK(c.products > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(double(c.products) >= l.products * double(c.waits));
      const int64_t bytes = l.x.count() * int64_t(size_of(dtype));
      CHECK(c.watched >= bytes);
      CHECK(double(c.watched) <= l.rereads * double(bytes));
    }
}

TEST_CASE("convolutions by wgmma with halos as boxes: operands lie in different banks, and what is copied is what the plan says") {
  // Tiles as above; with stride 2 lines of 17 positions are copied as 9 even ones and 9 odd ones. One warp less waits for each halo.
  struct Wide {
    Shape x;
    int64_t outputs;
    int kernel, stride;
    double rereads;
  };
  const Wide layers[] = {{{1, 16, 16, 16, 32}, 32, 3, 1, 2.4 * 3},
                         {{1, 8, 16, 16, 64}, 160, 3, 1, 2.4 * 3},
                         {{1, 16, 16, 16, 32}, 64, 3, 2, 3.9},
                         {{1, 8, 16, 16, 40}, 64, 3, 1, 2.4 * 3},
                         {{1, 9, 9, 9, 64}, 64, 1, 2, 1}};
  for (const Wide& l : layers)
    for (const DType dtype : {DType::bf16, DType::f16, DType::f32}) {
      const emulator::KernelCounts c = counts_of({l.x, l.outputs, l.kernel, l.stride, 0, 0}, dtype, "tma");
      const emulator::KernelCounts by_threads = counts_of({l.x, l.outputs, l.kernel, l.stride, 0, 0}, dtype, "wgmma");
      CAPTURE(l.x, l.outputs, l.kernel, l.stride, name_of(dtype), c.watched, c.waits, c.products, c.matrices);
      CHECK(c.products == by_threads.products);
      CHECK(c.conflicts == 0);
      CHECK(c.waits < by_threads.waits);
      const int64_t bytes = l.x.count() * int64_t(size_of(dtype));
      if (l.kernel > 1) CHECK(c.watched >= bytes);
      CHECK(double(c.watched) <= l.rereads * double(bytes));
      if (dtype != DType::f32 && l.stride == 1) CHECK(c.watched == by_threads.watched);
    }
}

TEST_CASE("convolutions to 32 channels with three taps at once: operands without conflicts, activations 1.5 times, two waits for a line",
          "[counts]") {
  // Lines of 16 x 8 outputs read 18 x 10 voxels, 1.41 times as many, at two more positions along H than an item has outputs: in a small
  // volume there are few, so that all multiprocessors have work.
  for (const int64_t inputs : {32, 64})
    for (const DType dtype : {DType::bf16, DType::f16, DType::f32}) {
      if (dtype == DType::f32 && inputs == 64) continue;  // too many weights
      const Shape x{1, 16, 32, 16, inputs};
      const emulator::KernelCounts c = counts_of({x, 32, 3, 1, 0, 0}, dtype, "lines");
      CAPTURE(inputs, name_of(dtype), c.watched, c.waits, c.products, c.matrices, c.accesses, c.load_conflicts, c.store_conflicts);
      const int chunks = int(inputs * int64_t(size_of(dtype)) / 64);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      // 18 products of a line and 64 bytes of channels, for each of two warpgroups; four waits of a warp for them.
      CHECK(c.products >= 32 * 2 * 2 * 18 * chunks);
      CHECK(c.products >= 18 * chunks * c.waits / 16);
      const int64_t bytes = x.count() * int64_t(size_of(dtype));
      CHECK(c.watched >= bytes);
      CHECK(double(c.watched) <= 3.4 * double(bytes));
    }
  // As boxes: the same bytes of any type, and one warp that waits in place of four.
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const emulator::KernelCounts c = counts_of({{1, 16, 32, 16, 32}, 32, 3, 1, 0, 0}, dtype, "lines_tma");
    const emulator::KernelCounts by_threads = counts_of({{1, 16, 32, 16, 32}, 32, 3, 1, 0, 0}, dtype, "lines");
    CHECK(c.conflicts == 0);
    CHECK(c.products == by_threads.products);
    CHECK(c.waits < by_threads.waits);
    if (dtype == DType::bf16) CHECK(c.watched == by_threads.watched);
    else CHECK(double(c.watched) <= 3.4 * 16 * 32 * 16 * 32 * 4);
  }
  // A layer at 128^3: inputs 1.5 times at most, outputs, and the weights of every block.
  setenv("VOXGRAD_CONV_CUDA", "lines", 1);
  const Conv3dProblem p{.n = 2, .c = 32, .k = 32, .in = {128, 128, 128}, .out = {128, 128, 128}, .kernel = {3, 3, 3}, .stride = {1, 1, 1},
                        .padding = {1, 1, 1}, .dilation = {1, 1, 1}};
  CHECK(conv3d_forward_traffic(card(), p, DType::bf16).bytes() <= 2.5 * 2 * 32 * 128. * 128 * 128 * 2 + 133 * 27 * 32 * 32 * 2);
  unsetenv("VOXGRAD_CONV_CUDA");
}

TEST_CASE("gradients of weights by wgmma: operands lie in different banks, x and gy are read once per tile and group of taps") {
  struct Wide {
    Shape x;
    int64_t outputs;
    int kernel, stride;
    double rereads, products;  // bytes of x read per byte there is; products of a warpgroup per wait of a warp
  };
  const Wide layers[] = {{{1, 16, 16, 32, 32}, 32, 3, 1, 2.9, 4},  {{1, 8, 16, 16, 64}, 64, 3, 1, 2.5 * 2, 4},
                         {{1, 8, 16, 16, 32}, 128, 3, 1, 2.5 * 4, 4}, {{1, 16, 16, 16, 32}, 64, 3, 2, 4 * 2, 3}};
  struct Kind {
    const char* way;
    DType dtype;
  };
  for (const Wide& l : layers)
    for (const auto& [way, dtype] : {Kind{"wgmma", DType::bf16}, {"wgmma", DType::f16}, {"wgmma", DType::f32}, {"tma", DType::bf16}}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      const Conv3dProblem p{.n = 1, .c = l.x[4], .k = l.outputs, .in = {int(l.x[1]), int(l.x[2]), int(l.x[3])},
                            .out = {int(l.x[1]) / l.stride, int(l.x[2]) / l.stride, int(l.x[3]) / l.stride},
                            .kernel = {l.kernel, l.kernel, l.kernel}, .stride = {l.stride, l.stride, l.stride}, .padding = {1, 1, 1},
                            .dilation = {1, 1, 1}};
      const Tensor x = Tensor::full(l.x, 0.5, dtype, kCard);
      const Tensor gy = Tensor::full({1, p.out.d, p.out.h, p.out.w, l.outputs}, 0.25, dtype, kCard);
      const Tensor gw = Tensor::zeros({l.outputs, l.kernel, l.kernel, l.kernel, l.x[4]}, DType::f32, kCard);
      cuda::synchronize(card());
      const int64_t bytes = l.x.count() * int64_t(size_of(dtype));
      const emulator::Counting counting(x.view().data, bytes);
      conv3d_weight_gradient(card(), p, x.view(), gy.view(), gw.view());
      CHECK(gw.to(Device{}).values()[0] > 0);
      const emulator::KernelCounts c = counting.of("conv3d_wgmma_weights_kernel");
      CAPTURE(l.x, l.outputs, l.stride, way, name_of(dtype), c.watched, bytes, c.waits, c.products, c.matrices, c.load_conflicts);
      CHECK(c.products > 0);
      CHECK(c.matrices > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(double(c.products) >= l.products * double(c.waits));
      CHECK(c.watched >= bytes);
      CHECK(double(c.watched) <= l.rereads * double(bytes) * (dtype == DType::f32 ? 2 : 1));
    }
  unsetenv("VOXGRAD_CONV_CUDA");
}

TEST_CASE("convolutions: the traffic that a profile tells is what the kernels move") {
  // Two taps along each axis are too few for shares of the sum: what is not copied is y, and the weights that are packed.
  const Shape x{1, 8, 9, 17, 32};
  for (const char* way : {"mma", "wgmma", "tma", "lines", "lines_tma"}) {
    const int taps = std::string(way).starts_with("lines") ? 3 : 2, more = taps == 2;
    const emulator::KernelCounts c = counts_of({x, 32, taps, 1, 0, 0}, DType::bf16, way);
    setenv("VOXGRAD_CONV_CUDA", way, 1);
    const Conv3dProblem p{.n = 1, .c = 32, .k = 32, .in = {8, 9, 17}, .out = {8 + more, 9 + more, 17 + more}, .kernel = {taps, taps, taps},
                          .stride = {1, 1, 1}, .padding = {1, 1, 1}, .dilation = {1, 1, 1}};
    CAPTURE(way, c.copied);
    const int64_t others = p.out_voxels() * 32 * 2 + p.weights() * 2;
    CHECK(conv3d_forward_traffic(card(), p, DType::bf16).bytes() == double(c.copied + others));
    unsetenv("VOXGRAD_CONV_CUDA");
  }
}

TEST_CASE("convolutions read what is normalised and what is concatenated, and nothing of it is stored") {
  const auto on_card = [](const Shape& s) { return Tensor::full(s, 0.5, DType::bf16, kCard); };
  const Tensor x = on_card({1, 4, 8, 16, 32}), skip = on_card({1, 4, 8, 16, 32}), w = on_card({32, 3, 3, 3, 64}).to(DType::f32);
  const std::vector<ConvSource> sources = {{.x = x, .normalised = true, .slope = 0.01}, {.x = skip}};
  for (const char* way : {"mma", "wgmma", "tma", "lines", "lines_tma"}) {
    setenv("VOXGRAD_CONV_CUDA", way, 1);
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    CHECK(conv3d_fused(sources, w, {}, {.padding = {1, 1, 1}}).to(Device{}).values()[0] != 0);
    unsetenv("VOXGRAD_CONV_CUDA");
    CAPTURE(way);
    CHECK(counting.of("norm_apply").blocks == 0);
    CHECK(counting.of("copy").blocks == 0);
    CHECK((counting.of("conv3d_wgmma_lines_kernel").products > 0) == std::string(way).starts_with("lines"));
    CHECK((counting.of("conv3d_mma_kernel").products > 0) == (way == std::string("mma")));
  }
  // By mma as many bytes of x, in as many barriers but the one behind which the first norms are known, whether x is normalised or not.
  const auto by_mma = [&](const std::vector<ConvSource>& read) {
    setenv("VOXGRAD_CONV_CUDA", "mma", 1);
    const emulator::Counting counting(x.view().data, x.bytes());
    CHECK(conv3d_fused(read, w, {}, {.padding = {1, 1, 1}}).to(Device{}).values()[0] != 0);
    unsetenv("VOXGRAD_CONV_CUDA");
    return counting.of("conv3d_mma_kernel");
  };
  const emulator::KernelCounts normalised = by_mma(sources), plain = by_mma({{x}, {skip}});
  CHECK(normalised.conflicts == 0);
  CHECK(normalised.watched == plain.watched);
  CHECK(normalised.barriers == plain.barriers + plain.blocks);
}

TEST_CASE("convolutions: the table gives wgmma what fills its tiles on sm_90, and mma the rest") {
  const ConvShape wide{.architecture = 90, .element = 2, .outputs = 64, .taps = 27, .waste = 1};
  const auto with = [&](auto change) {
    ConvShape s = wide;
    change(s);
    return conv_way(s);
  };
  CHECK(conv_way(wide) == ConvWay::wgmma);
  CHECK(with([](ConvShape& s) { s.element = 4; }) == ConvWay::wgmma);
  CHECK(with([](ConvShape& s) { s.element = 4, s.exact = true; }) == ConvWay::wgmma);
  CHECK(with([](ConvShape& s) { s.architecture = 80; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.architecture = 100; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.taps = 1; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.outputs = 16; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.waste = 4; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.waste = 0; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.lines = 1.2; }) == ConvWay::lines);
  CHECK(with([](ConvShape& s) { s.lines = 0.9; }) == ConvWay::wgmma);
  CHECK(with([](ConvShape& s) { s.lines = 1.2, s.architecture = 80; }) == ConvWay::mma);
  CHECK(with([](ConvShape& s) { s.boxes = s.line_boxes = true; }) == ConvWay::wgmma);
  setenv("VOXGRAD_CONV_CUDA", "lines_tma", 1);
  CHECK(with([](ConvShape& s) { s.boxes = true, s.lines = 0.5, s.line_boxes = true; }) == ConvWay::lines_tma);
  CHECK(with([](ConvShape& s) { s.lines = 0.5; }) == ConvWay::lines);
  CHECK(with([](ConvShape& s) { s.boxes = true; }) == ConvWay::tma);
  CHECK(conv_way(wide) == ConvWay::wgmma);
  unsetenv("VOXGRAD_CONV_CUDA");
  // A layer of a network, by itself.
  const auto on_card = [](const Shape& s) { return Tensor::full(s, 0.5, DType::bf16, kCard); };
  const Tensor x = on_card({1, 8, 16, 16, 64}), w = on_card({64, 3, 3, 3, 64}).to(DType::f32);
  cuda::synchronize(card());
  const emulator::Counting counting(x.view().data, x.bytes());
  CHECK(conv3d(x, w, {}, {.padding = {1, 1, 1}}).to(Device{}).values()[0] != 0);
  CHECK(counting.of("conv3d_wgmma_kernel").products > 0);
  CHECK(counting.of("conv3d_mma_kernel").products == 0);
}
