#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/convnext/convnext.h"
#include "models/encoder/staged_network.h"
#include "models/keyed_config.h"
#include "models/patch_plan.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(ConvNeXtConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("base_features", c.base_features, 1, 1024, "channels of the first stage, doubled at each further one");
  t.integers("blocks", c.blocks, 1, 100, "of the stages, one after the other");
  t.integer("kernel", c.kernel, 1, 15, "extent of the depthwise convolutions; 3, 5 and 7 are fast");
  t.integer("patch_size", c.patch_size, 1, 64, "");
  t.number("drop_path", c.drop_path, 0, 0.99, "stochastic depth of the last block, rising up to it");
  t.number("layer_scale", c.layer_scale, 0, 1, "that blocks are multiplied by to begin with");
  t.flag("flat", c.flat, "");
  return t;
}

struct ConvNeXtOptions {
  ConvNeXtConfig net;
  int patch_size = 0;
};

void add_keys(ConfigTable& t, ConvNeXtOptions& o) {
  add_documented(t, keys_of(o.net));
  t.integer("patch_size", o.patch_size, 0, 64, "extent and stride of the first convolution; 0: 2 for patches of up to 64 voxels, else 4");
}

// patch: about that which it will see.
ConvNeXtConfig convnext_for(const ConvNeXtOptions& o, const PlanRequest& r, const Int3& patch) {
  ConvNeXtConfig c = o.net;
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.patch_size = o.patch_size > 0 ? o.patch_size : starts_small("auto", patch) ? 2 : 4;
  c.flat = patch.d == 1;
  validate(c);
  return c;
}

NetworkPlan plan_convnext(const ConvNeXtOptions& o, const PlanRequest& r) {
  const Int3 patch = whole_patch(r);
  return {to_json_text(convnext_for(o, r, patch)), patch};
}

NetworkPlan plan_convnext_encoder(const ConvNeXtOptions& o, const PlanRequest& r) {
  const ConvNeXtConfig c = convnext_for(o, r, whole_patch(r));
  return {to_json_text(c), planned_patch(r, stages_of(c).back().stride, kMostPatchVoxels)};
}

Options convnext_options() { return Options::of<ConvNeXtOptions>(add_keys); }

EncoderEntry convnext_encoder() {
  return encoder_of<ConvNeXt, ConvNeXtConfig>(
      {.options = convnext_options,
       .plan = [](const Options& o, const PlanRequest& r) { return plan_convnext_encoder(o.as<ConvNeXtOptions>(), r); },
       .read = convnext_config_from_json,
       .stages = stages_of,
       .features = &ConvNeXt::features,
       .drop_rest = [](ConvNeXt& net) { net.norm = {}, net.head = {}; },
       .least_weights = [](const ConvNeXtConfig& c) { return headless_weights(c) - 2.0 * stages_of(c).back().channels; }});
}

// torchvision's names: features.0 the stem, then a stage and what lies between two in turn.
std::string rules_of_torchvision(size_t stages) {
  std::string out = R"([{"from": "features.0.0.*", "to": "stem.$1", "layout": "channels_last"},
    {"from": "features.0.1.*", "to": "stem_norm.$1"}, {"from": "classifier.0.*", "to": "norm.$1"},
    {"from": "classifier.2.*", "to": "head.$1"})";
  const auto add = [&](const std::string& from, const std::string& to) {
    out += ", {\"from\": \"" + from + "\", \"to\": \"" + to + "\", \"layout\": \"channels_last\"}";
  };
  for (size_t s = 0; s < stages; ++s) {
    const std::string theirs = "features." + std::to_string(2 * s + 1), ours = "stages." + std::to_string(s);
    add(theirs + ".*.block.0.*", ours + ".blocks.$1.depthwise.$2");
    add(theirs + ".*.block.2.*", ours + ".blocks.$1.norm.$2");
    add(theirs + ".*.block.3.*", ours + ".blocks.$1.expand.$2");
    add(theirs + ".*.block.5.*", ours + ".blocks.$1.project.$2");
    out += ", {\"from\": \"" + theirs + ".*.layer_scale\", \"to\": \"" + ours + ".blocks.$1.layer_scale\", \"squeeze\": [1, 2]}";
    if (s == 0) continue;
    const std::string between = "features." + std::to_string(2 * s);
    add(between + ".0.*", ours + ".norm.$1");
    add(between + ".1.*", ours + ".down.$1");
  }
  return out + "]";
}

}  // namespace

std::string to_json_text(const ConvNeXtConfig& c) {
  ConvNeXtConfig copy = c;
  return json_text_of("convnext", keys_of(copy));
}

ConvNeXtConfig convnext_config_from_json(const Json& j) {
  ConvNeXtConfig c;
  set_fields(keys_of(c), j, "ConvNeXtConfig");
  validate(c);
  return c;
}

ModelEntry convnext_model() {
  return {.name = "convnext",
          .summary = "ConvNeXt for values per image (Liu et al. 2022), small to begin with",
          .dense = false,
          .options = convnext_options,
          .plan = [](const Options& o, const PlanRequest& r) { return plan_convnext(o.as<ConvNeXtOptions>(), r); },
          .build = built_from<ConvNeXt>(convnext_config_from_json),
          .traits = traits_from(convnext_config_from_json),
          .least_weights = [](const Json& j) { return parameters_of(convnext_config_from_json(j)); },
          .weight_rules = [](const Json&) { return rules_of_torchvision(6); },
          .encoder = convnext_encoder()};
}

}  // namespace voxgrad
