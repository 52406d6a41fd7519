#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/varnet/varnet.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(VarNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("out_channels", c.out_channels, 1, 1 << 20, "");
  t.integer("cascades", c.cascades, 1, 100, "steps of data consistency and regularisation");
  t.integer("features", c.features, 1, 1024, "channels of the first stage of each U-Net");
  t.integer("stages", c.stages, 2, 8, "of each U-Net");
  t.choice("consistency", c.consistency, {"conjugate_gradients", "gradient"},
           "with what was measured: solved for with the image that the U-Net gives as a prior, or a step towards it in k-space");
  t.integer("iterations", c.iterations, 1, 100, "of conjugate gradients");
  t.choice("sensitivities", c.sensitivities, {"estimated", "espirit", "learned"},
           "of coils: smoothed from the middle of k-space, by ESPIRiT, or smoothed and refined by a U-Net");
  t.integer("sensitivity_features", c.sensitivity_features, 1, 1024, "channels of the first stage of that U-Net");
  t.flag("recompute", c.recompute, "in training compute cascades twice in place of keeping them in memory");
  return t;
}

void add_keys(ConfigTable& t, VarNetConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_varnet(VarNetConfig c, const PlanRequest& r) {
  c.in_channels = r.in_channels;
  c.out_channels = r.out_channels;
  PlanRequest slices = r;
  if (slices.patch.d == 0) slices.patch.d = 1;
  return {to_json_text(c), whole_patch(slices)};
}

}  // namespace

void validate(const VarNetConfig& c) {
  check(c.cascades >= 1 && c.features >= 1 && c.stages >= 2, "VarNetConfig: ", c.cascades, " cascades of ", c.stages, " stages");
  check(c.consistency == "gradient" || c.consistency == "conjugate_gradients", "VarNetConfig: consistency is ", c.consistency);
  check(c.sensitivities == "estimated" || c.sensitivities == "espirit" || c.sensitivities == "learned",
        "VarNetConfig: sensitivities are ", c.sensitivities);
}

std::string to_json_text(const VarNetConfig& c) {
  VarNetConfig copy = c;
  return json_text_of("varnet", keys_of(copy));
}

VarNetConfig varnet_config_from_json(const Json& j) {
  VarNetConfig c;
  set_fields(keys_of(c), j, "VarNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const VarNetConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.out_channels}; }

ModelEntry varnet_model() {
  return {.name = "varnet",
          .summary = "the end-to-end variational network for k-space of several coils (Sriram et al. 2020)",
          .options = [] { return Options::of<VarNetConfig>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_varnet(o.as<VarNetConfig>(), r); },
          .build = built_from<VarNet>(varnet_config_from_json),
          .traits = traits_from(varnet_config_from_json),
          .least_weights = [](const Json& j) {
            const VarNetConfig c = varnet_config_from_json(j);
            return c.cascades * 9.0 * c.features * c.features;
          }};
}

}  // namespace voxgrad
