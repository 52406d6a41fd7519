#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/densenet/densenet.h"
#include "models/encoder/staged_network.h"
#include "models/keyed_config.h"
#include "models/patch_plan.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(DenseNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.choice("depth", c.depth, {121, 161, 169, 201, 264}, "layers with weights");
  t.integer("growth", c.growth, 0, 1024, "channels that each layer adds; 0: 48 for depth 161, else 32");
  t.integer("base_features", c.base_features, 0, 4096, "channels of the stem; 0: twice the growth");
  t.number("dropout", c.dropout, 0, 0.99, "of what each layer adds");
  t.flag("small_stem", c.small_stem, "");
  t.flag("flat", c.flat, "");
  return t;
}

struct DenseNetOptions {
  DenseNetConfig net;
  std::string stem = "auto";
};

void add_keys(ConfigTable& t, DenseNetOptions& o) {
  add_documented(t, keys_of(o.net));
  add_stem_key(t, o.stem);
}

// patch: about that which it will see.
DenseNetConfig densenet_for(const DenseNetOptions& o, const PlanRequest& r, const Int3& patch) {
  DenseNetConfig c = o.net;
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.small_stem = starts_small(o.stem, patch);
  c.flat = patch.d == 1;
  return c;
}

NetworkPlan plan_densenet(const DenseNetOptions& o, const PlanRequest& r) {
  const Int3 patch = whole_patch(r);
  return {to_json_text(densenet_for(o, r, patch)), patch};
}

NetworkPlan plan_densenet_encoder(const DenseNetOptions& o, const PlanRequest& r) {
  const DenseNetConfig c = densenet_for(o, r, whole_patch(r));
  return {to_json_text(c), planned_patch(r, stages_of(c).back().stride, kMostPatchVoxels)};
}

Options densenet_options() { return Options::of<DenseNetOptions>(add_keys); }

EncoderEntry densenet_encoder() {
  return encoder_of<DenseNet, DenseNetConfig>(
      {.options = densenet_options,
       .plan = [](const Options& o, const PlanRequest& r) { return plan_densenet_encoder(o.as<DenseNetOptions>(), r); },
       .read = densenet_config_from_json,
       .stages = stages_of,
       .features = &DenseNet::stages,
       .drop_rest = [](DenseNet& net) { net.features.norm5 = {}, net.classifier = {}; },
       .least_weights = [](const DenseNetConfig& c) { return headless_weights(c) - 2.0 * stages_of(c).back().channels; }});
}

// torchvision's names, those of its files of before 2018 and MONAI's.
constexpr const char* kDenseNetRules = R"([
  {"from": "**.num_batches_tracked", "skip": "a count that is not used"},
  {"from": "features.*.*.norm.*.*", "to": "features.$1.$2.norm$3.$4"},
  {"from": "features.*.*.conv.*.*", "to": "features.$1.$2.conv$3.$4", "layout": "channels_last"},
  {"from": "features.*.*.layers.*.*", "to": "features.$1.$2.$3.$4", "layout": "channels_last"},
  {"from": "class_layers.out.*", "to": "classifier.$1"},
  {"from": "**", "to": "$1", "layout": "channels_last"}])";

}  // namespace

std::string to_json_text(const DenseNetConfig& c) {
  DenseNetConfig copy = c;
  return json_text_of("densenet", keys_of(copy));
}

DenseNetConfig densenet_config_from_json(const Json& j) {
  DenseNetConfig c;
  set_fields(keys_of(c), j, "DenseNetConfig");
  validate(c);
  return c;
}

ModelEntry densenet_model() {
  return {.name = "densenet",
          .summary = "densely connected network for values per image (Huang et al. 2017), with torchvision's names",
          .dense = false,
          .options = densenet_options,
          .plan = [](const Options& o, const PlanRequest& r) { return plan_densenet(o.as<DenseNetOptions>(), r); },
          .build = built_from<DenseNet>(densenet_config_from_json),
          .traits = traits_from(densenet_config_from_json),
          .least_weights = [](const Json& j) { return parameters_of(densenet_config_from_json(j)); },
          .weight_rules = [](const Json&) { return kDenseNetRules; },
          .encoder = densenet_encoder()};
}

}  // namespace voxgrad
