// Transposed convolutions whose kernel is their stride make all places of a voxel at once; heads read through the norm before them.
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/conv_transpose3d/conv_transpose3d.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

// The convolution whose input gradient makes `outputs` channels at 2^3 places of a voxel.
Conv3dProblem doubling(int64_t n, int64_t inputs, int64_t outputs, Int3 size) {
  return {.n = n, .c = outputs, .k = inputs, .in = {2 * size.d, 2 * size.h, 2 * size.w}, .out = size, .kernel = {2, 2, 2},
          .stride = {2, 2, 2}, .padding = {0, 0, 0}, .dilation = {1, 1, 1}};
}

}  // namespace

TEST_CASE("a transposed convolution whose kernel is its stride is one launch beside that of its weights, and told as what it moves",
          "[counts]") {
  for (const DType t : {DType::bf16, DType::f32}) {
    const Conv3dProblem p = doubling(1, 64, 32, {4, 4, 8});
    const Tensor x = Tensor::full({1, 4, 4, 8, 64}, 0.5, t, kCard), w = Tensor::full({64, 2, 2, 2, 32}, 0.25, DType::f32, kCard);
    cuda::synchronize(card());
    cuda::LaunchLog log;
    const emulator::Counting counting(x.view().data, x.bytes());
    const Tensor y = conv_transpose3d(x, w, {}, {.stride = {2, 2, 2}});
    cuda::synchronize(card());
    CAPTURE(name_of(t));
    CHECK(log.launches.size() == 2);
    CHECK(y.to(Device{}).values()[0] == 64 * 0.5 * 0.25);
    const emulator::KernelCounts c = counting.of("conv3d_mma_kernel"), pack = counting.of("conv3d_pack_kernel");
    const ConvTraffic told = conv3d_input_gradient_traffic(card(), p, t);
    CAPTURE(c.loaded, c.stored, c.watched, c.conflicts, pack.stored, told.bytes());
    CHECK(told.bytes() == double(c.loaded + c.stored + pack.stored));
    CHECK(c.stored == int64_t(y.bytes()));
    CHECK(c.watched == int64_t(told.activations));
    CHECK(c.watched <= 2 * int64_t(x.bytes()));  // two blocks of 128 of the 256 columns
    CHECK(c.conflicts == 0);
  }
}

TEST_CASE("transposed convolutions of a decoder read their inputs at most as often as there are blocks of channels") {
  for (const auto& [architecture, multiprocessors, often] : {std::tuple{80, 108, 2.}, {90, 132, 1.}}) {
    const emulator::Described device(architecture, multiprocessors);
    const Conv3dProblem p = doubling(2, 64, 32, {64, 64, 64});
    const ConvTraffic told = conv3d_input_gradient_traffic(card(), p, DType::bf16);
    const double x = 2. * 64 * 64 * 64 * 64 * 2;
    CAPTURE(architecture, told.activations, told.halos);
    CHECK(told.halos == x);
    CHECK(told.activations == often * x);
  }
}

TEST_CASE("a head reads through the norm before it: nothing normalised is stored, forward or for the gradient of its weights", "[counts]") {
  for (const DType t : {DType::bf16, DType::f32}) {
    const int64_t channels = t == DType::bf16 ? 64 : 32;
    const Tensor x = Tensor::full({2, 3, 5, 16, channels}, 0.5, t, kCard).require_grad();
    const Tensor w = Tensor::full({3, 1, 1, 1, channels}, 0.25, DType::f32, kCard).require_grad();
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    const Tensor y = conv3d_fused({{.x = x, .normalised = true, .slope = 0.25}}, w, {}, {});
    cuda::synchronize(card());
    CAPTURE(name_of(t));
    CHECK(counting.of("conv3d_head_kernel").blocks > 0);
    CHECK(counting.of("norm_apply_kernel").blocks == 0);
    CHECK(counting.of("conv3d_head_kernel").watched == int64_t(x.bytes()));
    backward(y, Tensor::full(y.shape(), 1, t, kCard));
    cuda::synchronize(card());
    CHECK(counting.of("conv3d_thin_weights_kernel").blocks > 0);
    CHECK(counting.of("norm_apply_kernel").blocks == 0);
    CHECK(counting.of("conv3d_thin_weights_kernel").watched == int64_t(x.bytes()));
  }
}
