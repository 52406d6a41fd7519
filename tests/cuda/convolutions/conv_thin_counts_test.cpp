// What convolutions move, counted: those of few input or output channels are to be bound by the bytes that there are.
#include <cstdlib>
#include <string_view>

#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

namespace {

struct Thin {
  int64_t inputs, outputs;
  Int3 kernel = {3, 3, 3};
};
enum class Direction { forward, input_gradient, weight_gradient };

const Int3 kVolume{8, 16, 32};

Conv3dProblem problem_of(const Thin& l) {
  return {.n = 1, .c = l.inputs, .k = l.outputs, .in = kVolume, .out = kVolume, .kernel = l.kernel, .stride = {1, 1, 1},
          .padding = {l.kernel.d / 2, l.kernel.h / 2, l.kernel.w / 2}, .dilation = {1, 1, 1}};
}

// Counts of the kernels whose names contain `kernel`, and the bytes of both activations.
emulator::KernelCounts counts_of(const Thin& l, Direction pass, DType t, const char* kernel, double& least) {
  const Conv3dProblem p = problem_of(l);
  const auto on_card = [](const Shape& s, DType d) { return Tensor::full(s, 0.5, d, kCard); };
  const Tensor x = on_card({1, kVolume.d, kVolume.h, kVolume.w, l.inputs}, t),
               y = on_card({1, kVolume.d, kVolume.h, kVolume.w, l.outputs}, t);
  const Tensor w = on_card({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, l.inputs}, DType::f32);
  least = double(x.bytes() + y.bytes());
  cuda::synchronize(card());
  const emulator::Counting counting(nullptr, 0);
  if (pass == Direction::forward) conv3d_forward(card(), p, x.view(), w.view(), {}, y.view());
  else if (pass == Direction::input_gradient) conv3d_input_gradient(card(), p, y.view(), w.view(), {}, x.view());
  else conv3d_weight_gradient(card(), p, x.view(), y.view(), w.view());
  cuda::synchronize(card());
  return counting.of(kernel);
}

}  // namespace

TEST_CASE("convolutions of few input channels move what they must, on tensor cores, without conflicts", "[counts]") {
  // Halos of a few channels beside 32 outputs, and weights once for a block that stays.
  for (const Thin& l : {Thin{1, 32}, Thin{2, 32}, Thin{4, 32}, Thin{1, 16}, Thin{1, 64}, Thin{1, 32, {1, 3, 3}}, Thin{3, 32, {1, 1, 1}}})
    for (const DType t : {DType::bf16, DType::f16, DType::f32}) {
      double least = 0;
      const emulator::KernelCounts c = counts_of(l, Direction::forward, t, "conv3d_thin_kernel", least);
      CAPTURE(l.inputs, l.outputs, l.kernel.d, name_of(t), least, c.read, c.written, c.products, c.accesses, c.load_conflicts,
              c.store_conflicts);
      CHECK(c.products > 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(c.written == c.stored);  // whole sectors, once
      CHECK(double(c.written) == double(kVolume.d) * kVolume.h * kVolume.w * double(l.outputs) * double(size_of(t)));
      CHECK(double(c.read + c.written) <= 1.3 * least);
    }
}

TEST_CASE("convolutions of few channels: what a profile tells is what they move, and little more than there is at 128^3", "[counts]") {
  const auto traffic = [](const Thin& l, Direction pass, DType t, Int3 volume) {
    Conv3dProblem p = problem_of(l);
    p.in = p.out = volume;
    const ConvTraffic moved = pass == Direction::forward          ? conv3d_forward_traffic(card(), p, t)
                              : pass == Direction::input_gradient ? conv3d_input_gradient_traffic(card(), p, t)
                                                                  : conv3d_weight_gradient_traffic(card(), p, t);
    return moved.bytes();
  };
  struct Way {
    Thin layer;
    Direction pass;
    const char* kernel;
  };
  const Int3 one{1, 1, 1};
  for (const Way& w : {Way{{1, 32}, Direction::forward, "conv3d_thin_kernel"}, Way{{2, 32}, Direction::forward, "conv3d_thin_kernel"},
                       Way{{4, 32}, Direction::forward, "conv3d_thin_kernel"}, Way{{32, 3, one}, Direction::forward, "conv3d_head_kernel"},
                       Way{{32, 1}, Direction::forward, "conv3d_narrow_kernel"}, Way{{32, 4}, Direction::forward, "conv3d_narrow_kernel"},
                       Way{{1, 32}, Direction::input_gradient, "conv3d_narrow_kernel"},
                       Way{{32, 3, one}, Direction::input_gradient, "conv3d_thin_kernel"},
                       Way{{1, 32}, Direction::weight_gradient, "conv3d_thin_weights_kernel"},
                       Way{{32, 3, one}, Direction::weight_gradient, "conv3d_thin_weights_kernel"}})
    for (const DType t : {DType::bf16, DType::f32}) {
      double least = 0;
      const emulator::KernelCounts c = counts_of(w.layer, w.pass, t, w.kernel, least);
      const double told = traffic(w.layer, w.pass, t, kVolume), counted = double(c.read + c.written);
      CAPTURE(w.kernel, w.layer.inputs, w.layer.outputs, name_of(t), c.read, c.written, told, least);
      // Sectors are whole, lines of a halo narrow; weights are packed, and sums added, by other kernels.
      CHECK(told >= least);
      CHECK(counted >= 0.8 * told);
      CHECK(counted <= 1.2 * told);
      const double large = 128. * 128 * 128 * double(w.layer.inputs + w.layer.outputs) * double(size_of(t));
      const bool narrow = std::string_view(w.kernel).find("narrow") != std::string_view::npos;  // whose halo is that of 16 x 8 outputs
      CHECK(traffic(w.layer, w.pass, t, {128, 128, 128}) <= (narrow ? 1.4 : 1.25) * large);
    }
}

TEST_CASE("heads move what they must: forward, and both gradients", "[counts]") {
  for (const int64_t outputs : {1, 2, 3, 4})
    for (const DType t : {DType::bf16, DType::f32}) {
      const Thin l{32, outputs, {1, 1, 1}};
      double least = 0;
      const emulator::KernelCounts forward = counts_of(l, Direction::forward, t, "conv3d_head_kernel", least);
      const emulator::KernelCounts input = counts_of(l, Direction::input_gradient, t, "conv3d_thin_kernel", least);
      const emulator::KernelCounts weight = counts_of(l, Direction::weight_gradient, t, "conv3d_thin_weights_kernel", least);
      for (const auto& c : {forward, input, weight}) {
        CAPTURE(outputs, name_of(t), least, c.read, c.written, c.products);
        CHECK(c.products > 0);
        CHECK(double(c.read + c.written) <= 1.25 * least);
      }
    }
}

TEST_CASE("3x3x3 to few outputs reads its input about once, on tensor cores, without conflicts", "[counts]") {
  for (const Thin& l : {Thin{32, 1}, Thin{64, 2}, Thin{32, 3}, Thin{32, 4}, Thin{32, 1, {1, 3, 3}}})
    for (const DType t : {DType::bf16, DType::f16, DType::f32}) {
      double least = 0;
      const emulator::KernelCounts c = counts_of(l, Direction::forward, t, "conv3d_narrow_kernel", least);
      const double x = double(kVolume.d) * kVolume.h * kVolume.w * double(l.inputs) * double(size_of(t));
      CAPTURE(l.inputs, l.outputs, l.kernel.d, name_of(t), least, c.read, c.written, c.stored, c.products, c.conflicts, c.load_conflicts,
              c.store_conflicts, c.accesses, c.blocks);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      // Of sums that lanes leave for each other: no two in a bank, but where some lanes leave out a column the emulator takes their next
      // one for it.
      CHECK(3 * c.store_conflicts <= c.accesses);
      CHECK(double(c.stored) == least - x);
      CHECK(double(c.copied) <= 1.45 * x);
      CHECK(double(c.read) <= 1.45 * x + double(c.blocks * l.kernel.d * 9 * l.inputs * l.outputs) * 4);
      // Of 32 voxels, twelve of 16 for each of 64 bytes, and columns of nine taps.
      const int64_t planes = kVolume.d + (l.kernel.d - 1), chunks = l.inputs * size_of(t) / 64;
      CHECK(c.products == c.blocks * planes * chunks * 12 * 2 * l.kernel.d * ((9 * l.outputs + 7) / 8));
    }
}

TEST_CASE("gradients of the weights of few input channels read both tensors about once", "[counts]") {
  for (const Thin& l : {Thin{1, 32}, Thin{2, 32}, Thin{4, 32}, Thin{1, 32, {1, 3, 3}}})
    for (const DType t : {DType::bf16, DType::f32}) {
      double least = 0;
      const emulator::KernelCounts c = counts_of(l, Direction::weight_gradient, t, "conv3d_thin_weights_kernel", least);
      CAPTURE(l.inputs, l.kernel.d, name_of(t), least, c.read, c.written, c.products, c.accesses, c.load_conflicts, c.store_conflicts,
              c.blocks);
      CHECK(c.products > 0);
      CHECK(c.conflicts == 0);
      CHECK(c.load_conflicts == 0);
      CHECK(c.store_conflicts == 0);
      CHECK(double(c.read) <= 1.25 * least);
      CHECK(c.written <= c.blocks * 32 * l.kernel.d * 9 * l.inputs * 4 + c.blocks * 64);
    }
}

TEST_CASE("gradients of weights: the traffic that a profile tells is what the kernels move", "[counts]") {
  for (const char* way : {"mma", "wgmma"})
    for (const DType t : {DType::bf16, DType::f32}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      // To 32 channels wgmma has lines, to 64 none; of f32 it reads by ordinary loads.
      for (const int64_t outputs : {32, 64}) {
        const Conv3dProblem p{.n = 1, .c = 32, .k = outputs, .in = {8, 9, 17}, .out = {8, 9, 17}, .kernel = {3, 3, 3}, .stride = {1, 1, 1},
                              .padding = {1, 1, 1}, .dilation = {1, 1, 1}};
        const auto on_card = [](const Shape& s, DType d) { return Tensor::full(s, 0.5, d, kCard); };
        const Tensor x = on_card({1, 8, 9, 17, 32}, t), gy = on_card({1, 8, 9, 17, outputs}, t),
                     gw = on_card({outputs, 3, 3, 3, 32}, DType::f32);
        cuda::synchronize(card());
        const emulator::Counting counting(nullptr, 0);
        conv3d_weight_gradient(card(), p, x.view(), gy.view(), gw.view());
        cuda::synchronize(card());
        const emulator::KernelCounts c = counting.of(std::string("conv3d_") + way + "_weights"), sums = counting.of("weights_total");
        const double told = conv3d_weight_gradient_traffic(card(), p, t).bytes();
        CAPTURE(way, name_of(t), outputs, c.loaded, c.stored, sums.loaded, sums.stored, told);
        CHECK(told == double(c.loaded + c.stored + sums.loaded + sums.stored));
      }
      unsetenv("VOXGRAD_CONV_CUDA");
    }
}
