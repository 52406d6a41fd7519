#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "models/configured_model.h"
#include "models/encoder/staged_network.h"
#include "models/keyed_config.h"
#include "models/segresnet/segresnet.h"
#include "models/slab_outputs.h"

namespace voxgrad {
namespace {

Int3 extents(const SegResNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

Norm norm_of(const SegResNetConfig& c, int channels) {
  return Norm(norm_kind_of(c.norm), {.channels = channels, .affine = c.affine || c.norm != "instance", .groups = c.groups});
}

Conv3d conv_of(const SegResNetConfig& c, int in, int out, int kernel, int stride, Rng& rng) {
  return Conv3d({.in = in, .out = out, .kernel = extents(c, kernel), .stride = extents(c, stride), .bias = false}, rng);
}

void add_blocks(std::vector<SegResBlock>& to, const SegResNetConfig& c, int channels, int count, Rng& rng) {
  for (int i = 0; i < count; ++i) {
    SegResBlock b{.norm1 = norm_of(c, channels)};
    b.conv1 = conv_of(c, channels, channels, 3, 1, rng);
    b.norm2 = norm_of(c, channels);
    b.conv2 = conv_of(c, channels, channels, 3, 1, rng);
    to.push_back(std::move(b));
  }
}

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(SegResNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("features", c.features, 1, 1024, "channels of the first stage, doubled at each further one");
  t.integers("blocks_down", c.blocks_down, 1, 64, "residual blocks of each stage on the way down");
  t.integers("blocks_up", c.blocks_up, 1, 64, "and on the way up, one stage less, from the coarsest on");
  t.choice("norm", c.norm, {"group", "instance", "batch"}, "in front of each convolution");
  t.integer("groups", c.groups, 1, 1024, "of a group norm");
  t.flag("affine", c.affine, "whether an instance norm has a scale and a shift");
  t.flag("flat", c.flat, "");
  return t;
}

void add_keys(ConfigTable& t, SegResNetConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_segresnet(const Options& o, const PlanRequest& r) { return planned_volumes(o.as<SegResNetConfig>(), r, kMostPatchVoxels); }

}  // namespace

void validate(const SegResNetConfig& c) {
  const size_t stages = c.blocks_down.size();
  check(stages >= 1 && stages <= 10, "SegResNetConfig: blocks_down has ", stages, " entries, 1 to 10 are possible");
  check(c.blocks_up.size() + 1 == stages, "SegResNetConfig: blocks_up has ", c.blocks_up.size(), " entries, beside ", stages,
        " on the way down ", stages - 1, " are wanted");
  check(c.norm != "group" || c.features % c.groups == 0, "SegResNetConfig: ", c.groups, " groups do not divide ", c.features, " channels");
}

std::string to_json_text(const SegResNetConfig& c) {
  SegResNetConfig copy = c;
  return json_text_of("segresnet", keys_of(copy));
}

SegResNetConfig segresnet_config_from_json(const Json& j) {
  SegResNetConfig c;
  set_fields(keys_of(c), j, "SegResNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const SegResNetConfig& c) {
  const int divisor = 1 << (c.blocks_down.size() - 1);
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = {c.flat ? 1 : divisor, divisor, divisor}};
}

Tensor SegResBlock::operator()(const Tensor& x, const Tensor& stats, ConvStatistics* of_y) const {
  if (ForwardHooks::active()) return conv2(norm2(conv1(norm1(x, {}, 0)), {}, 0)) + x;
  StatisticsFor inner(norm2);
  const Tensor y = conv1(norm1.lazily(x, 0, stats), inner.wanted());
  return conv3d_fused({norm2.lazily(y, 0, inner.stats)}, conv2.weight, conv2.bias, conv2.options, {.residual = x, .statistics = of_y});
}

SegResNet::SegResNet(const SegResNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  stem = conv_of(c, c.in_channels, c.features, 3, 1, rng);
  const size_t stages = c.blocks_down.size();
  for (size_t s = 0; s < stages; ++s) {
    SegResStage stage;
    const int channels = c.features << s;
    if (s > 0) stage.conv = conv_of(c, channels / 2, channels, 3, 2, rng);
    add_blocks(stage.blocks, c, channels, c.blocks_down[s], rng);
    down.push_back(std::move(stage));
  }
  for (size_t i = 0; i + 1 < stages; ++i) {
    SegResStage stage;
    const int channels = c.features << (stages - 2 - i);
    stage.conv = conv_of(c, 2 * channels, channels, 1, 1, rng);
    add_blocks(stage.blocks, c, channels, c.blocks_up[i], rng);
    up.push_back(std::move(stage));
  }
  norm = norm_of(c, c.features);
  head = Conv3d({.in = c.features, .out = c.classes, .kernel = {1, 1, 1}}, rng);
}

namespace {

// Blocks in turn, of which each takes the statistics of its sum for the norm of the next one, and the last for `behind`, if any. stats: of
// x, where they are known.
Tensor through(const std::vector<SegResBlock>& blocks, Tensor x, Tensor stats, ConvStatistics* behind) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool last = i + 1 == blocks.size();
    StatisticsFor next(blocks[last ? i : i + 1].norm1);
    x = blocks[i](x, stats, last ? behind : next.wanted());
    stats = next.stats;
  }
  return x;
}

}  // namespace

std::vector<Tensor> SegResNet::stages(const Tensor& x) const {
  Tensor y = x;
  std::vector<Tensor> out;
  for (const SegResStage& s : down) {
    StatisticsFor of_y(s.blocks.front().norm1);
    y = (s.conv ? *s.conv : stem)(y, of_y.wanted());
    out.push_back(through(s.blocks, y, of_y.stats, nullptr));
    y = out.back();
  }
  return out;
}

ConvSource SegResNet::features_of(const Tensor& x) const {
  std::vector<Tensor> skips = stages(x);
  Tensor y = skips.back();
  skips.pop_back();
  StatisticsFor of_y(norm);
  for (const SegResStage& s : up) {
    const Tensor& skip = skips.back();
    y = interpolate3d((*s.conv)(y), skip.shape().spatial(), {.mode = Interpolation::trilinear}) + skip;
    y = through(s.blocks, y, {}, &s == &up.back() ? of_y.wanted() : nullptr);
    skips.pop_back();
  }
  return norm.lazily(y, 0, of_y.stats);
}

Tensor SegResNet::operator()(const Tensor& x) const {
  return hooked(head, conv3d_fused({features_of(x)}, head.weight, head.bias, head.options));
}
SlabOutputs SegResNet::in_slabs(const Tensor& x) const { return slabs_of(features_of(x), head); }

namespace {

double weights_on_the_way_down(const SegResNetConfig& c) {
  double n = 0;
  for (size_t s = 0; s < c.blocks_down.size(); ++s) n += 18.0 * c.blocks_down[s] * double(c.features << s) * double(c.features << s);
  return n;
}

std::vector<EncoderStage> segresnet_stages(const SegResNetConfig& c) {
  std::vector<EncoderStage> out;
  for (size_t s = 0; s < c.blocks_down.size(); ++s)
    out.push_back({.channels = c.features << s, .stride = extents(c, s == 0 ? 1 : 2), .kernel = extents(c, 3)});
  return joined_stages(out);
}

Options segresnet_options() { return Options::of<SegResNetConfig>(add_keys); }

EncoderEntry segresnet_encoder() {
  return encoder_of<SegResNet, SegResNetConfig>(
      {.options = segresnet_options,
       .plan = plan_segresnet,
       .read = segresnet_config_from_json,
       .stages = segresnet_stages,
       .features = &SegResNet::stages,
       .drop_rest = [](SegResNet& n) { n.up.clear(), n.norm = {}, n.head = {}; },
       .least_weights = weights_on_the_way_down});
}

}  // namespace

ModelEntry segresnet_model() {
  return {.name = "segresnet",
          .summary = "SegResNet (Myronenko 2018), as MONAI has it",
          .options = segresnet_options,
          .plan = plan_segresnet,
          .build = built_from<SegResNet>(segresnet_config_from_json),
          .traits = traits_from(segresnet_config_from_json),
          .least_weights = [](const Json& j) { return weights_on_the_way_down(segresnet_config_from_json(j)); },
          .encoder = segresnet_encoder()};
}

}  // namespace voxgrad
