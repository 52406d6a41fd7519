#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "layers/init.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/nafnet/nafnet.h"

namespace voxgrad {
namespace {

constexpr double kMostRestoredVoxels = 64. * 64 * 64;  // of a planned patch

Int3 extents(const NafNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

NafBlock naf_block(const NafNetConfig& c, int channels, Rng& rng) {
  const auto pointwise = [&](int out) { return Conv3d({.in = channels, .out = out, .kernel = {1, 1, 1}}, rng); };
  NafBlock b{.norm1 = ChannelNorm(channels), .norm2 = ChannelNorm(channels)};
  b.conv1 = pointwise(2 * channels);
  b.conv2 = Conv3d({.in = 2 * channels, .out = 2 * channels, .kernel = extents(c, 3), .groups = 2 * channels}, rng);
  b.attention = Linear({.in = channels, .out = channels}, rng);
  b.conv3 = pointwise(channels);
  b.conv4 = pointwise(2 * channels);
  b.conv5 = pointwise(channels);
  b.beta = constant_parameter({channels}, 0);
  b.gamma = constant_parameter({channels}, 0);
  return b;
}

std::vector<NafBlock> naf_blocks(const NafNetConfig& c, int channels, int count, Rng& rng) {
  std::vector<NafBlock> out;
  for (int i = 0; i < count; ++i) out.push_back(naf_block(c, channels, rng));
  return out;
}

Tensor simple_gate(const Tensor& x) {
  const int64_t half = x.dim(4) / 2;
  return slice(x, 4, 0, half) * slice(x, 4, half, 2 * half);
}

Tensor through(const std::vector<NafBlock>& blocks, Tensor x) {
  for (const NafBlock& b : blocks) x = b(x);
  return x;
}

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(NafNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("features", c.features, 1, 1024, "channels of the first stage, doubled at each further one");
  t.integers("blocks_down", c.blocks_down, 1, 64, "blocks of each stage on the way down");
  t.integers("blocks_up", c.blocks_up, 1, 64, "and on the way up, from the coarsest on");
  t.integer("middle", c.middle, 1, 64, "blocks in the middle");
  t.flag("flat", c.flat, "");
  return t;
}

void add_keys(ConfigTable& t, NafNetConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_nafnet(const Options& o, const PlanRequest& r) { return planned_volumes(o.as<NafNetConfig>(), r, kMostRestoredVoxels); }

}  // namespace

void validate(const NafNetConfig& c) {
  const size_t stages = c.blocks_down.size();
  check(stages >= 1 && stages <= 8, "NafNetConfig: blocks_down has ", stages, " entries, 1 to 8 are possible");
  check(c.blocks_up.size() == stages, "NafNetConfig: blocks_up has ", c.blocks_up.size(), " entries, beside ", stages,
        " on the way down as many are wanted");
}

std::string to_json_text(const NafNetConfig& c) {
  NafNetConfig copy = c;
  return json_text_of("nafnet", keys_of(copy));
}

NafNetConfig nafnet_config_from_json(const Json& j) {
  NafNetConfig c;
  set_fields(keys_of(c), j, "NafNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const NafNetConfig& c) {
  const int divisor = 1 << c.blocks_down.size();
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = {c.flat ? 1 : divisor, divisor, divisor}};
}

Tensor NafBlock::operator()(const Tensor& x) const {
  const Tensor z = simple_gate(conv2(conv1(norm1(x))));
  const Tensor y = x + conv3(z * attention(mean(z, {1, 2, 3}, {.keep = true}))) * beta;
  return hooked(*this, y + conv5(simple_gate(conv4(norm2(y)))) * gamma);
}

NafNet::NafNet(const NafNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  int channels = c.features;
  stem = Conv3d({.in = c.in_channels, .out = channels, .kernel = extents(c, 3)}, rng);
  for (const int n : c.blocks_down) {
    NafStage stage{.blocks = naf_blocks(c, channels, n, rng), .down = {}, .up = {}};
    stage.down.emplace(
        Conv3dLayer{.in = channels, .out = 2 * channels, .kernel = extents(c, 2), .stride = extents(c, 2), .padding = Int3{0, 0, 0}}, rng);
    down.push_back(std::move(stage));
    channels *= 2;
  }
  middle = naf_blocks(c, channels, c.middle, rng);
  for (const int n : c.blocks_up) {
    NafStage stage;
    stage.up.emplace(
        ConvTranspose3dLayer{.in = channels, .out = channels / 2, .kernel = extents(c, 2), .stride = extents(c, 2), .bias = false}, rng);
    channels /= 2;
    stage.blocks = naf_blocks(c, channels, n, rng);
    up.push_back(std::move(stage));
  }
  head = Conv3d({.in = channels, .out = c.classes, .kernel = extents(c, 3)}, rng);
}

Tensor NafNet::operator()(const Tensor& x) const {
  Tensor y = stem(x);
  std::vector<Tensor> skips;
  for (const NafStage& s : down) {
    skips.push_back(through(s.blocks, y));
    y = (*s.down)(skips.back());
  }
  y = through(middle, y);
  for (const NafStage& s : up) {
    y = through(s.blocks, (*s.up)(y) + skips.back());
    skips.pop_back();
  }
  return head(y);
}

ModelEntry nafnet_model() {
  return {.name = "nafnet",
          .summary = "a U-shaped restorer without activations (Chen et al. 2022)",
          .options = [] { return Options::of<NafNetConfig>(add_keys); },
          .plan = plan_nafnet,
          .build = built_from<NafNet>(nafnet_config_from_json),
          .traits = traits_from(nafnet_config_from_json),
          .least_weights =
              [](const Json& j) {
                const NafNetConfig c = nafnet_config_from_json(j);
                double n = 0;
                for (size_t s = 0; s < c.blocks_down.size(); ++s)
                  n += 7.0 * c.blocks_down[s] * double(c.features << s) * double(c.features << s);
                return n;
              }};
}

}  // namespace voxgrad
