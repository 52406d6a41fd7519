// Statistics and sums that convolutions take of what they write are not taken again.
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "layers/blocks.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

TEST_CASE("an instance norm behind a convolution reads no tensor for its statistics, whoever applies it") {
  Rng rng(1);
  const ConvStack stack = [&] {
    ConvStack s({.in = 32, .out = 32}, 2, rng);
    move_to(s, kCard);
    return s;
  }();
  for (const DType dtype : {DType::bf16, DType::f32})
    for (const char* way : {"mma", "wgmma", "lines"}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      const Tensor x = Tensor::full({1, 4, 8, 16, 32}, 0.5, dtype, kCard);
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      CHECK(stack(x).to(Device{}).values()[0] != 0);
      unsetenv("VOXGRAD_CONV_CUDA");
      CAPTURE(way, name_of(dtype));
      CHECK(counting.of("conv3d_moments_kernel").blocks > 0);
      CHECK(counting.of("norm_moments_kernel").blocks == 0);
      CHECK(counting.of("norm_merge_kernel").blocks == 0);
    }
}

TEST_CASE("the backward pass of a norm that a convolution reads through reads x and its gradient beside the convolution once") {
  for (const DType dtype : {DType::bf16, DType::f32})
    for (const char* way : {"mma", "wgmma", "lines"}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      const Tensor x = Tensor::full({1, 4, 8, 16, 32}, 0.5, dtype, kCard).require_grad();
      const Tensor w = Tensor::full({32, 3, 3, 3, 32}, 0.25, DType::f32, kCard);
      const Tensor y = conv3d_fused({{.x = x, .normalised = true, .slope = 0.25}}, w, {}, {.padding = {1, 1, 1}});
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      backward(y, Tensor::full(y.shape(), 1, dtype, kCard));
      cuda::synchronize(card());
      unsetenv("VOXGRAD_CONV_CUDA");
      CAPTURE(way, name_of(dtype));
      CHECK(counting.of("conv3d_sums_kernel").blocks > 0);
      CHECK(counting.of("norm_gradient_sums_kernel").blocks == 0);
      CHECK(counting.of("norm_gradient_totals_kernel").blocks == 0);
      if (!emulator::kCountsAccesses) continue;
      CHECK(counting.of("conv3d_").watched == int64_t(x.bytes()));
    }
}
