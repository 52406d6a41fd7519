#include "layers/blocks.h"

#include <algorithm>

#include "kernels/avg_pool3d/avg_pool3d.h"

namespace voxgrad {
namespace {

template <class Block>
std::vector<Block> stack_of(BlockLayer o, int depth, Rng& rng) {
  check(depth > 0, "block stack: ", depth, " blocks");
  std::vector<Block> blocks;
  for (int i = 0; i < depth; ++i) {
    blocks.emplace_back(o, rng);
    o.in = o.out;
    o.stride = {1, 1, 1};
  }
  return blocks;
}

template <class Blocks>
Tensor in_turn(const Blocks& blocks, Tensor x) {
  for (auto& b : blocks) x = b(x);
  return x;
}

}  // namespace

ConvBlock::ConvBlock(const BlockLayer& o, Rng& rng)
    : conv({.in = o.in, .out = o.out, .kernel = o.kernel, .stride = o.stride, .dilation = o.dilation, .bias = o.bias}, rng),
      norm(o.norm, {.channels = o.out, .groups = o.groups}),
      activation(o.activation) {}

Tensor ConvBlock::operator()(const Tensor& x, const Tensor& skip) const {
  if (norm.batch && activation.is_fused() && !ForwardHooks::active()) return norm.batch->behind(conv, {x}, skip, activation.fused_slope());
  StatisticsFor of_y(norm);
  const Tensor y = conv(x, of_y.wanted());
  return hooked(*this, activated(y, skip, of_y.stats));
}
Tensor ConvBlock::operator()(const ConvSource& source, const Tensor& skip) const {
  if (!source.normalised) return (*this)(source.x, skip);
  StatisticsFor of_y(norm);
  const Tensor y = conv(source, of_y.wanted());
  return hooked(*this, activated(y, skip, of_y.stats));
}
Tensor ConvBlock::activated(const Tensor& y, const Tensor& skip, const Tensor& stats) const {
  return activation.is_fused() ? norm(y, skip, activation.fused_slope(), stats) : activation(norm(y, skip, 1, stats));
}

ConvSource ConvBlock::lazily(const std::vector<ConvSource>& sources) const {
  const bool fused = activation.is_fused() && !ForwardHooks::active();
  if (norm.batch && fused && sources.size() == 1) return norm.batch->lazily_behind(conv, sources[0], activation.fused_slope());
  StatisticsFor of_y(norm);
  const Tensor y = hooked(conv, conv3d_fused(sources, conv.weight, conv.bias, conv.options, {.statistics = of_y.wanted()}));
  if (fused) return norm.lazily(y, activation.fused_slope(), of_y.stats);
  return {hooked(*this, activated(y, {}, of_y.stats))};
}

ConvStack::ConvStack(const BlockLayer& o, int depth, Rng& rng) : blocks(stack_of<ConvBlock>(o, depth, rng)) {}
Tensor ConvStack::operator()(const Tensor& x) const { return evaluate(lazily({{x}})); }
ConvSource ConvStack::lazily(std::vector<ConvSource> sources) const {
  for (const ConvBlock& b : blocks) sources = {b.lazily(sources)};
  if (!sources[0].normalised) sources[0].x = hooked(*this, sources[0].x);
  return sources[0];
}

ResidualBlock::ResidualBlock(const BlockLayer& o, Rng& rng) : first(o, rng), stride(o.stride) {
  BlockLayer inner = o;
  inner.in = o.out;
  inner.stride = {1, 1, 1};
  second = ConvBlock(inner, rng);
  for (Tensor t : {second.norm.weight(), second.norm.bias()}) {
    if (!t) continue;
    on_device(t.device(), [&](auto on) { fill(on, t.count(), 0, t.view()); });
    t.mark_written();
  }
  if (o.in != o.out) {
    BlockLayer matching = o;
    matching.kernel = matching.stride = {1, 1, 1};
    matching.bias = false;
    matching.activation.kind = ActivationKind::none;
    projection.emplace(matching, rng);
  }
}

Tensor ResidualBlock::operator()(const Tensor& x) const {
  Tensor skip = x;
  if (stride != Int3{1, 1, 1}) {
    Int3 window = stride;
    for (int a = 0; a < 3; ++a) window[a] = int(std::min<int64_t>(window[a], x.dim(a + 1)));
    skip = avg_pool3d(skip, {.kernel = window, .stride = stride, .ceil_mode = true});
  }
  if (projection) skip = (*projection)(skip);
  return hooked(*this, second(first.lazily({{x}}), skip));
}

ResidualStack::ResidualStack(const BlockLayer& o, int depth, Rng& rng) : blocks(stack_of<ResidualBlock>(o, depth, rng)) {}
Tensor ResidualStack::operator()(const Tensor& x) const { return hooked(*this, in_turn(blocks, x)); }

}  // namespace voxgrad
