#include "models/convnext/convnext.h"

#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/pad/pad.h"
#include "kernels/reduce/reduce.h"
#include "layers/init.h"

namespace voxgrad {
namespace {

constexpr int kWider = 4;  // channels between the two layers of a block, in those of the block

Int3 cube(const ConvNeXtConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

// Convolutions of windows side by side want one whole window at the least.
Tensor in_patches(const Conv3d& conv, const Tensor& x) {
  Int3 missing;
  for (int a = 0; a < 3; ++a) missing[a] = int(std::max<int64_t>(0, conv.weight.dim(a + 1) - x.dim(a + 1)));
  return conv(missing == Int3{0, 0, 0} ? x : pad3d(x, {0, 0, 0}, missing));
}

Conv3d patches(int in, int out, const Int3& extents, Rng& rng) {
  return Conv3d({.in = in, .out = out, .kernel = extents, .stride = extents, .padding = Int3{0, 0, 0}}, rng);
}

ConvNeXtBlock block(const ConvNeXtConfig& c, int channels, double drop_path, Rng& rng) {
  ConvNeXtBlock b;
  b.depthwise = Conv3d({.in = channels, .out = channels, .kernel = cube(c, c.kernel), .groups = channels}, rng);
  b.norm = ChannelNorm(channels);
  b.expand = Linear({.in = channels, .out = kWider * channels}, rng);
  b.project = Linear({.in = kWider * channels, .out = channels}, rng);
  b.layer_scale = constant_parameter({channels}, c.layer_scale);
  if (drop_path > 0) b.drop.emplace(DropPath{.p = drop_path});
  return b;
}

}  // namespace

void validate(const ConvNeXtConfig& c) {
  check(c.in_channels > 0 && c.classes > 0, "ConvNeXtConfig: ", c.in_channels, " channels, ", c.classes, " classes");
  check(!c.blocks.empty() && c.blocks.size() <= 6, "ConvNeXtConfig: ", c.blocks.size(), " stages, 1 to 6 are possible");
  for (const int n : c.blocks) check(n > 0 && n <= 100, "ConvNeXtConfig: ", n, " blocks of a stage, 1 to 100 are possible");
  check(c.base_features > 0 && c.base_features <= 1024, "ConvNeXtConfig: base_features is ", c.base_features, ", 1 to 1024 is wanted");
  check(c.kernel > 0 && c.kernel <= 15 && c.kernel % 2 == 1, "ConvNeXtConfig: kernel is ", c.kernel, ", odd, up to 15 is wanted");
  check(c.patch_size > 0 && c.patch_size <= 64, "ConvNeXtConfig: patch_size is ", c.patch_size, ", 1 to 64 is wanted");
  check(c.drop_path >= 0 && c.drop_path < 1, "ConvNeXtConfig: drop_path is ", c.drop_path, ", 0 to below 1 is wanted");
}

NetworkTraits traits_of(const ConvNeXtConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false}; }

double parameters_of(const ConvNeXtConfig& c) {
  const auto taps = [&](int n) { return double(n) * n * (c.flat ? 1 : n); };
  double f = c.base_features, n = taps(c.patch_size) * c.in_channels * f + 3 * f;
  for (size_t s = 0; s < c.blocks.size(); ++s) {
    if (s > 0) n += 2 * f + taps(2) * f * 2 * f + 2 * f;
    if (s > 0) f *= 2;
    n += c.blocks[s] * (taps(c.kernel) * f + f + 2 * f + 2 * kWider * f * f + kWider * f + f + f);
  }
  return n + 2 * f + f * c.classes + c.classes;
}

Tensor ConvNeXtBlock::operator()(const Tensor& x) const {
  const Tensor y = project(gelu(expand(norm(depthwise(x))))) * layer_scale;
  return hooked(*this, x + (drop ? (*drop)(y) : y));
}

Tensor ConvNeXtStage::operator()(const Tensor& x) const {
  Tensor y = down ? in_patches(*down, (*norm)(x)) : x;
  for (const ConvNeXtBlock& b : blocks) y = b(y);
  return hooked(*this, y);
}

ConvNeXt::ConvNeXt(const ConvNeXtConfig& c, Rng& rng) : config(c) {
  validate(c);
  int features = c.base_features, count = 0, made = 0;
  for (const int n : c.blocks) count += n;
  stem = patches(c.in_channels, features, cube(c, c.patch_size), rng);
  stem_norm = ChannelNorm(features);
  for (size_t s = 0; s < c.blocks.size(); ++s) {
    ConvNeXtStage stage;
    if (s > 0) {
      stage.norm.emplace(features);
      stage.down = patches(features, 2 * features, cube(c, 2), rng);
      features *= 2;
    }
    for (int i = 0; i < c.blocks[s]; ++i) stage.blocks.push_back(block(c, features, c.drop_path * made++ / std::max(1, count - 1), rng));
    stages.push_back(std::move(stage));
  }
  norm = ChannelNorm(features);
  head = Linear({.in = features, .out = c.classes}, rng);
}

std::vector<EncoderStage> stages_of(const ConvNeXtConfig& c) {
  std::vector<EncoderStage> out;
  for (size_t s = 0; s < c.blocks.size(); ++s)
    out.push_back({.channels = c.base_features << s, .stride = cube(c, s == 0 ? c.patch_size : 2), .kernel = cube(c, 3)});
  return joined_stages(out);
}

std::vector<Tensor> ConvNeXt::features(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "ConvNeXt: the input is ", x, ", wanted is {N, D, H, W, ",
        config.in_channels, "}");
  Tensor y = stem_norm(in_patches(stem, x));
  std::vector<Tensor> out;
  for (const ConvNeXtStage& s : stages) out.push_back(y = s(y));
  return out;
}

Tensor ConvNeXt::operator()(const Tensor& x) const {
  return head(norm(mean(features(x).back(), {1, 2, 3})));
}

}  // namespace voxgrad
