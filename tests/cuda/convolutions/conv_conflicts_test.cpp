// What the kernels of convolutions do that conv_counts_test.cpp and its siblings do not hold, counted in the emulator: banks of shared
// memory and barriers of every kind of gather, each in as small a shape as fills its tiles.
#include <cstdlib>
#include <string>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

namespace {

enum class Pass { forward, input_gradient, weight_gradient };
constexpr Int3 kOne{1, 1, 1}, kTwo{2, 2, 2}, kThree{3, 3, 3};

struct Layer {
  Int3 in;
  int64_t inputs, outputs;
  Int3 kernel = kThree, stride = kOne;
  int groups = 1;
  bool exact = false;
};

// Counts of the kernels whose names contain `kernel`; `way`: conv3d_choice_kernels.h.
emulator::KernelCounts counts_of(const Layer& l, Pass pass, DType t, const char* way, const char* kernel) {
  const Int3 half{l.kernel.d / 2, l.kernel.h / 2, l.kernel.w / 2};
  Conv3dProblem p{.n = 1, .c = l.inputs, .k = l.outputs, .groups = l.groups, .in = l.in, .kernel = l.kernel, .stride = l.stride,
                  .padding = half, .dilation = kOne, .exact_f32 = l.exact};
  for (int a = 0; a < 3; ++a) p.out[a] = (l.in[a] + 2 * half[a] - l.kernel[a]) / l.stride[a] + 1;
  const auto on_card = [](const Shape& s, DType d) { return Tensor::full(s, 0.5, d, kCard); };
  const Tensor x = on_card({1, p.in.d, p.in.h, p.in.w, p.c}, t), y = on_card({1, p.out.d, p.out.h, p.out.w, p.k}, t),
               w = on_card({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, DType::f32);
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  cuda::synchronize(card());
  const emulator::Counting counting(nullptr, 0);
  if (pass == Pass::forward) conv3d_forward(card(), p, x.view(), w.view(), {}, y.view());
  else if (pass == Pass::input_gradient) conv3d_input_gradient(card(), p, y.view(), w.view(), {}, x.view());
  else conv3d_weight_gradient(card(), p, x.view(), y.view(), w.view());
  cuda::synchronize(card());
  unsetenv("VOXGRAD_CONV_CUDA");
  return counting.of(kernel);
}

}  // namespace

TEST_CASE("gathers by mma: operands lie in different banks, and there is a barrier for each tap and chunk", "[counts]") {
  // chunks: of 64 bytes of channels that a block sums over; others: barriers of a block beside its taps: one behind the table, two where
  // outputs leave through shared memory, one more where the blocks of a cluster have sent each other halos.
  struct Kind {
    const char* what;
    Layer layer;
    DType dtype;
    int taps, chunks, others;
  };
  const DType half = DType::bf16, single = DType::f32;
  for (const auto& [what, l, t, taps, chunks, others] : {
           Kind{"5 taps", {{4, 4, 8}, 32, 32, {5, 5, 5}}, half, 25, 1, 1},
           Kind{"5 taps", {{4, 4, 8}, 32, 32, {5, 5, 5}}, single, 25, 1, 1},
           Kind{"7 taps", {{4, 4, 8}, 32, 32, {7, 7, 7}}, half, 49, 1, 1},
           Kind{"one plane", {{2, 16, 16}, 32, 32, {1, 3, 3}}, half, 9, 1, 3},
           Kind{"one plane", {{2, 16, 16}, 32, 32, {1, 3, 3}}, single, 9, 1, 1},
           Kind{"one column", {{4, 8, 16}, 32, 32, {3, 3, 1}}, half, 9, 1, 3},
           Kind{"one column", {{4, 8, 16}, 32, 32, {3, 3, 1}}, single, 9, 1, 1},
           Kind{"one plane with stride 2", {{2, 16, 32}, 32, 32, {1, 3, 3}, {1, 2, 2}}, half, 9, 1, 3},
           Kind{"groups", {{4, 4, 8}, 64, 64, kThree, kOne, 2}, half, 9, 1, 2},
           Kind{"groups", {{4, 4, 8}, 64, 64, kThree, kOne, 2}, single, 9, 1, 2},
           Kind{"joined groups", {{4, 4, 8}, 64, 64, kThree, kOne, 16}, half, 9, 1, 2},
           Kind{"40 channels", {{4, 4, 8}, 40, 40}, half, 9, 1, 2},
           Kind{"16 outputs", {{4, 4, 8}, 32, 16}, half, 9, 1, 2},
           Kind{"exact f32", {{4, 4, 8}, 32, 32, kThree, kOne, 1, true}, single, 9, 1, 2},
       }) {
    const emulator::KernelCounts c = counts_of(l, Pass::forward, t, "mma", "conv3d_mma_kernel");
    CAPTURE(what, name_of(t), c.blocks, c.barriers, c.products, c.accesses, c.load_conflicts);
    CHECK(c.products > 0);
    CHECK(c.conflicts == 0);
    CHECK(c.barriers == c.blocks * (taps * chunks + others));
    // Where 16-bit outputs of 32 channels leave, two voxels of a quarter of a warp meet in four banks.
    const int64_t leaving = t == half && others == 3 ? c.blocks * 64 : 0;
    CHECK(c.load_conflicts == leaving);
  }
}

TEST_CASE("input gradients with stride 2: operands of all residues lie in different banks", "[counts]") {
  // 27 taps in eight residues of two tiles each, which have a table and outputs.
  const Layer l{{8, 16, 16}, 32, 32, kThree, kTwo};
  for (const auto& [t, exact] : {std::pair{DType::bf16, false}, {DType::f32, false}, {DType::f32, true}}) {
    Layer of = l;
    of.exact = exact;
    const emulator::KernelCounts c = counts_of(of, Pass::input_gradient, t, "mma", "conv3d_mma_kernel");
    CAPTURE(name_of(t), exact, c.blocks, c.barriers, c.load_conflicts, c.accesses);
    CHECK(c.blocks == 16);
    CHECK(c.barriers == 2 * (27 * (t == DType::f32 ? 2 : 1) + 8 * 3));
    CHECK(c.conflicts == 0);
    CHECK(c.load_conflicts == (t == DType::bf16 ? c.blocks * 64 : 0));  // as outputs leave
    const Layer wide{{4, 32, 32}, 32, 32, kThree, kTwo, 1, exact};
    for (const char* way : {"wgmma", "tma"}) {
      const emulator::KernelCounts w = counts_of(wide, Pass::input_gradient, t, way, "conv3d_wgmma_kernel");
      CAPTURE(way, w.load_conflicts, w.store_conflicts);
      CHECK(w.products > 0);
      CHECK(w.conflicts == 0);
      CHECK(w.load_conflicts == 0);
      CHECK(w.store_conflicts == 0);
    }
  }
}

TEST_CASE("gathers by wgmma and lines: operands of planes, groups, exact f32 and what is normalised lie in different banks", "[counts]") {
  struct Kind {
    Layer layer;
    const char* way;
  };
  const auto kernel_of = [](std::string way) { return way == "lines" ? "conv3d_wgmma_lines_kernel" : "conv3d_wgmma_kernel"; };
  const Int3 in{4, 16, 16};
  for (const auto& [l, way] :
       {Kind{{in, 32, 32, {1, 3, 3}}, "wgmma"}, Kind{{in, 32, 32, {3, 3, 1}}, "wgmma"}, Kind{{in, 32, 32, {3, 3, 1}}, "lines"},
        Kind{{in, 64, 64, kThree, kOne, 2}, "wgmma"}, Kind{{in, 32, 32, kThree, kOne, 1, true}, "wgmma"}})
    for (const DType t : {DType::bf16, DType::f32}) {
      if (l.exact && t != DType::f32) continue;
      const emulator::KernelCounts c = counts_of(l, Pass::forward, t, way, kernel_of(way));
      CAPTURE(l.kernel, l.groups, l.exact, way, name_of(t), c.barriers, c.blocks, c.load_conflicts, c.store_conflicts);
      CHECK(c.products > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(c.barriers == (std::string(way) == "lines" ? c.blocks : 0));
    }
  for (const DType t : {DType::bf16, DType::f32}) {
    const Tensor x = Tensor::full({1, 4, 8, 16, 32}, 0.5, t, kCard), w = Tensor::full({32, 3, 3, 3, 32}, 0.5, DType::f32, kCard);
    for (const char* way : {"wgmma", "lines"}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      cuda::synchronize(card());
      const emulator::Counting counting(nullptr, 0);
      conv3d_fused({{.x = x, .normalised = true, .slope = 0.01}}, w, {}, {.padding = kOne});
      cuda::synchronize(card());
      unsetenv("VOXGRAD_CONV_CUDA");
      const emulator::KernelCounts c = counting.of(kernel_of(way));
      CAPTURE(way, name_of(t), c.products, c.accesses, c.load_conflicts, c.store_conflicts);
      CHECK(c.products > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
    }
  }
}

TEST_CASE("first layers, heads and the ordinary cores: banks and barriers", "[counts]") {
  // barriers of a block, which has one tile here.
  struct Kind {
    const char* kernel;
    Layer layer;
    Pass pass;
    int barriers;
  };
  const Int3 in{4, 8, 16}, five{5, 5, 5};
  for (const auto& [kernel, l, pass, barriers] : {
           Kind{"conv3d_thin_kernel", {in, 1, 32}, Pass::forward, 2},  // around the halo of a tile
           Kind{"conv3d_thin_kernel", {in, 1, 32, five}, Pass::forward, 2},
           Kind{"conv3d_thin_kernel", {{4, 8, 32}, 1, 32, kThree, kTwo}, Pass::forward, 2},
           // Behind positions, around each tile, and as eight warps, or pairs of them, add their sums.
           Kind{"conv3d_thin_weights_kernel", {in, 1, 32}, Pass::weight_gradient, 1 + 2 + 8},
           Kind{"conv3d_thin_weights_kernel", {in, 4, 32}, Pass::weight_gradient, 1 + 2 + 4},
           Kind{"conv3d_narrow_kernel", {in, 32, 2}, Pass::forward, 1 + 2 * 4},  // behind weights, around each plane of sums
           Kind{"conv3d_head_kernel", {in, 32, 2, kOne}, Pass::forward, 0},
           Kind{"conv3d_mma_weights_kernel", {{4, 8, 8}, 64, 64, kThree, kOne, 2}, Pass::weight_gradient, 1 + 2},
           Kind{"conv3d_direct_weights_kernel", {{2, 4, 8}, 4, 12, kThree, kOne, 4}, Pass::weight_gradient, 1 + 4},
           Kind{"conv3d_direct_weights_kernel", {{2, 4, 8}, 2, 4, kThree, kOne, 1, true}, Pass::weight_gradient, 1 + 4},
           Kind{"conv3d_rows_weights_kernel", {{2, 4, 16}, 2, 32, kThree, kOne, 1, true}, Pass::weight_gradient, 1},
           Kind{"conv3d_rows_kernel", {{2, 4, 16}, 2, 32, kThree, kOne, 1, true}, Pass::forward, 0},
           Kind{"conv3d_direct_kernel", {{2, 4, 8}, 4, 12, kThree, kOne, 4}, Pass::forward, 0},
       })
    for (const DType t : {DType::bf16, DType::f32}) {
      if (l.exact && t != DType::f32) continue;
      const emulator::KernelCounts c = counts_of(l, pass, t, "mma", kernel);
      CAPTURE(kernel, l.inputs, l.kernel, l.stride, name_of(t), c.blocks, c.barriers, c.accesses, c.load_conflicts, c.store_conflicts);
      CHECK(c.blocks > 0);
      CHECK(c.barriers == c.blocks * barriers);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
    }
}

TEST_CASE("first layers of any taps, strides and channels: no access to shared memory meets a bank twice", "[counts]") {
  for (const Int3 k : {Int3{3, 3, 3}, {5, 5, 5}, {7, 7, 7}, {1, 3, 3}, {1, 5, 5}, {1, 7, 7}, {3, 3, 1}, {7, 1, 1}, {1, 1, 3}, {2, 2, 2}})
    for (const Int3 s : {kOne, kTwo, Int3{1, 2, 2}})
      for (const int64_t inputs : {1, 2, 3, 4})
        for (const Pass pass : {Pass::forward, Pass::weight_gradient})
          for (const DType t : {DType::bf16, DType::f32}) {
            if (k.d > 1 && s.d != s.w) continue;
            const Layer l{{1 * s.d, 4 * s.h, 16 * s.w}, inputs, 16, k, s};
            const emulator::KernelCounts c = counts_of(l, pass, t, "mma", "conv3d_thin");
            CAPTURE(k, s, inputs, int(pass), name_of(t), c.accesses, c.load_conflicts, c.store_conflicts);
            if (k.d <= 3 && s.h == 1) CHECK(c.products > 0);  // others may be too large
            CHECK(c.conflicts == 0);
            CHECK(c.load_conflicts == 0);
            CHECK(c.store_conflicts == 0);
          }
}

TEST_CASE("depthwise convolutions of five and seven taps: operands lie in different banks, and there is a barrier for each plane",
          "[counts]") {
  for (const Int3 k : {Int3{5, 5, 5}, Int3{7, 7, 7}, Int3{1, 7, 7}, Int3{7, 1, 7}, Int3{7, 7, 1}})
    for (const int s : {1, 2})
      for (const Pass pass : {Pass::forward, Pass::input_gradient, Pass::weight_gradient})
        for (const DType t : {DType::bf16, DType::f32}) {
          const bool square = k.h == k.w, products = t == DType::bf16 && square && s == 1;
          if (s == 2 && !square) continue;
          if (s == 2 && t == DType::bf16 && pass != Pass::weight_gradient) continue;  // as f32
          if (s == 1 && pass == Pass::input_gradient) continue;                       // the kernel of the forward pass
          const Layer l{{1, 8 * s, 16 * s}, 32, 32, k, {k.d == 1 ? 1 : s, s, s}, 32};
          const emulator::KernelCounts c = counts_of(l, pass, t, "mma", "conv3d_depthwise");
          CAPTURE(k, s, int(pass), name_of(t), c.blocks, c.barriers, c.products, c.accesses, c.load_conflicts, c.store_conflicts);
          CHECK(c.accesses > 0);
          CHECK((c.products > 0) == products);
          CHECK(c.conflicts == 0);
          CHECK(c.load_conflicts == 0);
          CHECK(c.store_conflicts == 0);
          // Planes that one of outputs reads, or a position with stride 2; of gradients of weights those of the taps of a block, which are
          // all of them where one axis has one tap and few sums. Beside these behind weights, before the last outputs, and around the sums.
          const int planes = pass == Pass::input_gradient ? 1 : k.d;
          if (pass != Pass::weight_gradient) CHECK(c.barriers == c.blocks * (1 + planes + (products ? 1 : 0)));
          else CHECK(c.barriers == c.blocks * ((square || (k.w == 1 && t == DType::f32) ? 1 : k.d) + 2));
        }
}
