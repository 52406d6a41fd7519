#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/dncnn/dncnn.h"
#include "models/keyed_config.h"
#include "models/patch_plan.h"

namespace voxgrad {
namespace {

constexpr double kMostDenoisedVoxels = 48. * 48 * 48;  // of a planned patch: every layer is at full resolution

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(DnCnnConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("features", c.features, 1, 4096, "channels of every layer but the last");
  t.integer("depth", c.depth, 2, 100, "convolutions");
  t.choice("norm", c.norm, {"none", "batch", "instance"}, "behind all but the first and the last");
  t.flag("flat", c.flat, "");
  return t;
}

void add_keys(ConfigTable& t, DnCnnConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_dncnn(DnCnnConfig c, const PlanRequest& r) {
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  const Int3 patch = planned_patch(r, {1, 1, 1}, kMostDenoisedVoxels);
  c.flat = patch.d == 1;
  return {to_json_text(c), patch};
}

Int3 extents(const DnCnnConfig& c) { return {c.flat ? 1 : 3, 3, 3}; }

}  // namespace

std::string to_json_text(const DnCnnConfig& c) {
  DnCnnConfig copy = c;
  return json_text_of("dncnn", keys_of(copy));
}

DnCnnConfig dncnn_config_from_json(const Json& j) {
  DnCnnConfig c;
  set_fields(keys_of(c), j, "DnCnnConfig");
  return c;
}

NetworkTraits traits_of(const DnCnnConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes}; }

DnCnn::DnCnn(const DnCnnConfig& c, Rng& rng) : config(c) {
  for (int i = 0; i + 1 < c.depth; ++i)
    blocks.emplace_back(BlockLayer{.in = i == 0 ? c.in_channels : c.features,
                                   .out = c.features,
                                   .kernel = extents(c),
                                   .norm = i == 0 ? NormKind::none : norm_kind_of(c.norm),
                                   .activation = {ActivationKind::relu}},
                        rng);
  head = Conv3d({.in = c.features, .out = c.classes, .kernel = extents(c)}, rng);
}

Tensor DnCnn::operator()(const Tensor& x) const {
  ConvSource y = {x};
  for (const ConvBlock& b : blocks) y = b.lazily({y});
  return head(y);
}

ModelEntry dncnn_model() {
  return {.name = "dncnn",
          .summary = "a residual denoiser of convolutions at full resolution (Zhang et al. 2017)",
          .options = [] { return Options::of<DnCnnConfig>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_dncnn(o.as<DnCnnConfig>(), r); },
          .build = built_from<DnCnn>(dncnn_config_from_json),
          .traits = traits_from(dncnn_config_from_json),
          .least_weights =
              [](const Json& j) {
                const DnCnnConfig c = dncnn_config_from_json(j);
                return double(c.depth - 2) * 9 * c.features * c.features;
              }};
}

}  // namespace voxgrad
