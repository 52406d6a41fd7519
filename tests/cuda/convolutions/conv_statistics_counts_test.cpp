// Statistics and sums that convolutions take of what they write are not taken again.
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"
#include "layers/blocks.h"
#include "models/resnet/resnet.h"
#include "models/segresnet/segresnet.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;

TEST_CASE("an instance or group norm behind a convolution reads no tensor for its statistics, whoever applies it") {
  Rng rng(1);
  const auto made = [&](NormKind norm) {
    ConvStack s({.in = 32, .out = 32, .norm = norm}, 2, rng);
    move_to(s, kCard);
    return s;
  };
  const ConvStack instance = made(NormKind::instance), group = made(NormKind::group);
  for (const DType dtype : {DType::bf16, DType::f32})
    for (const char* way : {"mma", "wgmma", "lines"}) {
      const ConvStack& stack = dtype == DType::bf16 ? group : instance;
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

TEST_CASE("a network's first convolution gives the statistics of its norm, and the gradient of its last one the sums of the norm before") {
  Rng rng(1);
  ConvStack stack({.in = 1, .out = 32}, 1, rng);
  move_to(stack, kCard);
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const Tensor x = Tensor::full({1, 4, 8, 16, 1}, 0.5, dtype, kCard), w = Tensor::full({2, 1, 1, 1, 32}, 0.25, DType::f32, kCard);
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    const Tensor y = conv3d_fused({stack.lazily({{x}})}, w);
    backward(y, Tensor::full(y.shape(), 1, dtype, kCard));
    cuda::synchronize(card());
    CAPTURE(name_of(dtype));
    CHECK(counting.of("conv3d_moments_kernel").blocks > 0);
    CHECK(counting.of("conv3d_sums_kernel").blocks > 0);
    for (const char* kernel : {"norm_moments_kernel", "norm_merge_kernel", "norm_gradient_sums_kernel", "norm_gradient_totals_kernel"})
      CHECK(counting.of(kernel).blocks == 0);
  }
}

TEST_CASE("the norms behind sums of residual blocks of a SegResNet read no tensor for their statistics") {
  const auto read = [&](std::vector<int> down, std::vector<int> up, int64_t& taken) {
    Rng rng(1);
    SegResNet net({.in_channels = 16, .classes = 2, .features = 32, .blocks_down = std::move(down), .blocks_up = std::move(up)}, rng);
    move_to(net, kCard);
    const Tensor x = Tensor::full({1, 4, 8, 8, 16}, 0.5, DType::bf16, kCard);
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    CHECK(net(x).to(Device{}).values()[0] != 0);
    taken = counting.of("conv3d_moments_kernel").blocks;
    return counting.of("norm_moments_kernel").blocks;
  };
  // Read are what the last norm has of one stage, and of two what the first block gets on the way up: as large.
  int64_t few = 0, more = 0, two = 0;
  const int64_t one_norm = read({1}, {}, few);
  CHECK(one_norm > 0);
  CHECK(read({3}, {}, more) == one_norm);
  CHECK(read({1, 1}, {2}, two) == one_norm);
  CHECK(few > 0);
  CHECK(more > few);
}

TEST_CASE("the backward pass of a norm that a convolution reads through reads x and its gradient beside the convolution once", "[counts]") {
  for (const DType dtype : {DType::bf16, DType::f32})
    for (const char* way : {"mma", "wgmma", "lines"}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      const Tensor x = Tensor::full({1, 4, 8, 16, 32}, 0.5, dtype, kCard).require_grad();
      const Tensor w = Tensor::full({32, 3, 3, 3, 32}, 0.25, DType::f32, kCard);
      const int groups = dtype == DType::bf16 ? 8 : 0;
      const Tensor y = conv3d_fused({{.x = x, .normalised = true, .slope = 0.25, .groups = groups}}, w, {}, {.padding = {1, 1, 1}});
      cuda::synchronize(card());
      const emulator::Counting counting(x.view().data, x.bytes());
      backward(y, Tensor::full(y.shape(), 1, dtype, kCard));
      cuda::synchronize(card());
      unsetenv("VOXGRAD_CONV_CUDA");
      CAPTURE(way, name_of(dtype));
      CHECK(counting.of("conv3d_sums_kernel").blocks > 0);
      CHECK(counting.of("norm_gradient_sums_kernel").blocks == 0);
      CHECK(counting.of("norm_gradient_totals_kernel").blocks == 0);
      CHECK(counting.of("conv3d_").watched == int64_t(x.bytes()));
    }
}

TEST_CASE("a ResNet's block of three convolutions stores the last norm alone, and no norm reads a tensor for its statistics") {
  Rng rng(1);
  const auto run = [&](bool stored) {
    ResNetBlock block{.conv1 = Conv3d({.in = 64, .out = 32, .kernel = {1, 1, 1}, .bias = false}, rng),
                      .bn1 = BatchNorm({.channels = 32}),
                      .conv2 = Conv3d({.in = 32, .out = 32, .bias = false}, rng),
                      .bn2 = BatchNorm({.channels = 32})};
    block.conv3.emplace(Conv3dLayer{.in = 32, .out = 64, .kernel = {1, 1, 1}, .bias = false}, rng);
    block.bn3.emplace(NormLayer{.channels = 64});
    move_to(block, kCard);
    const Tensor x = Tensor::full({2, 4, 8, 8, 64}, 0.5, DType::bf16, kCard).require_grad();
    cuda::synchronize(card());
    const emulator::Counting counting(x.view().data, x.bytes());
    std::optional<ForwardHooks> hooks;  // with which norms are stored, and take their statistics
    if (stored) hooks.emplace(block, [](const LayerOutput&) {});
    const Tensor y = block(x);
    backward(y, Tensor::full(y.shape(), 1, DType::bf16, kCard));
    cuda::synchronize(card());
    std::vector<int64_t> blocks;
    for (const char* kernel : {"norm_moments_kernel", "norm_apply_kernel", "norm_gradient_sums_kernel", "conv3d_moments_kernel",
                               "conv3d_sums_kernel"})
      blocks.push_back(counting.of(kernel).blocks);
    return blocks;
  };
  const std::vector<int64_t> read = run(false), stored = run(true);
  // Norms of 32, 32 and 64 channels, whose passes have one, one and two blocks.
  CHECK(stored[0] > 0);
  CHECK(read[0] == 0);
  CHECK(stored[1] == 2 * read[1]);
  CHECK(stored[2] == 2 * read[2]);
  CHECK(read[3] == (32 + 32 + 64) / 8);
  CHECK(read[4] == (32 + 32) / 8);
  CHECK(stored[3] + stored[4] == 0);
}

TEST_CASE("no pass over memory adds the gradients of those that read one input, if a convolution was the first of them") {
  Rng rng(1);
  const BlockLayer layer{.in = 32, .out = 32, .norm = NormKind::group, .groups = 4};
  ConvBlock down({.in = 32, .out = 32, .stride = {2, 2, 2}}, rng), beside(layer, rng);
  move_to(down, kCard);
  move_to(beside, kCard);
  // h is stored, and read by the next stage and the decoder as well.
  const Tensor x = Tensor::full({1, 4, 8, 16, 32}, 0.5, DType::bf16, kCard).require_grad(), h = leaky_relu(x, 0.5);
  const Tensor y = evaluate(down.lazily({{h}})), z = evaluate(beside.lazily({{h}}));
  const Tensor loss = add(sum(y), sum(z));
  cuda::synchronize(card());
  const emulator::Counting counting(h.view().data, h.bytes());
  backward(loss);
  cuda::synchronize(card());
  CHECK(counting.of("conv3d_").blocks > 0);
  CHECK(counting.of("accumulate_kernel").blocks == 0);
}
