#include <algorithm>

#include "core/config/json_values.h"
#include "models/attention_mil/attention_mil.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

constexpr int kInstance = 32, kFlatInstance = 64;  // extents that are planned
constexpr int kSmallInstance = 16;  // extents of instances up to which the encoder starts at full resolution where its stem is "auto"

Json encoder_json(const ResNetConfig& c) {
  Json j = Json::parse(to_json_text(c));
  for (const char* key : {"in_channels", "classes"}) j.erase(key);
  return j;
}

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(AttentionMilConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.add_json("encoder", "", [&c] { return encoder_json(c.encoder); }, [&c](const Json& j) { c.encoder = resnet_config_from_json(j); });
  t.extents("instance", c.instance, 0, 1 << 20, "extents of an instance; 0: 32 voxels, 64 pixels in slices");
  t.flag("overlap", c.overlap, "instances reach half into the next one along each axis");
  t.integer("attention", c.attention, 1, 4096, "features of the attention between its layers");
  t.number("dropout", c.dropout, 0, 0.99, "of what the linear layer reads");
  t.integer("chunk", c.chunk, 1, 4096, "instances of an image that the encoder gets at a time");
  t.flag("checkpoint", c.checkpoint, "the encoder runs again for its gradients, so that its activations need not be kept");
  return t;
}

struct MilOptions {
  AttentionMilConfig net = {.encoder = {.depth = 10, .base_features = 32}, .instance = {0, 0, 0}};
  std::string stem = "auto";
};

void add_keys(ConfigTable& t, MilOptions& o) {
  t.choice("depth", o.net.encoder.depth, {10, 18, 34, 50}, "of the encoder, a residual network");
  t.integer("base_features", o.net.encoder.base_features, 1, 1024, "channels of its first stage");
  add_stem_key(t, o.stem, kSmallInstance);
  add_documented(t, keys_of(o.net));
}

NetworkPlan plan_mil(const MilOptions& o, const PlanRequest& r) {
  const Int3 patch = whole_patch(r);
  AttentionMilConfig c = o.net;
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  for (int a = 0; a < 3; ++a) {
    if (c.instance[a] == 0) c.instance[a] = patch.d == 1 ? kFlatInstance : kInstance;
    c.instance[a] = std::min(c.instance[a], patch[a]);
  }
  c.encoder.small_stem = starts_small(o.stem, c.instance, kSmallInstance);
  c.encoder.flat = c.instance.d == 1;
  return {to_json_text(c), patch};
}

// A residual network's weights are those of the encoder.
constexpr const char* kMilRules = R"([
  {"from": "**.num_batches_tracked", "skip": "a count that is not used"},
  {"from": "conv_seg.**", "skip": "a head of segmentation"},
  {"from": "fc.*", "skip": "a head for one image"},
  {"from": "**", "to": "encoder.$1", "layout": "channels_last"}])";

}  // namespace

std::string to_json_text(const AttentionMilConfig& c) {
  AttentionMilConfig copy = c;
  return json_text_of("attention_mil", keys_of(copy));
}

AttentionMilConfig attention_mil_config_from_json(const Json& j) {
  AttentionMilConfig c;
  set_fields(keys_of(c), j, "AttentionMilConfig");
  c.encoder.in_channels = c.in_channels;
  validate(c);
  return c;
}

ModelEntry attention_mil_model() {
  return {.name = "attention_mil",
          .summary = "parts of an image weighed by gated attention (Ilse et al. 2018), for values per image",
          .dense = false,
          .options = [] { return Options::of<MilOptions>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_mil(o.as<MilOptions>(), r); },
          .build = built_from<AttentionMil>(attention_mil_config_from_json),
          .traits = traits_from(attention_mil_config_from_json),
          .least_weights =
              [](const Json& j) {
                ResNetConfig c = attention_mil_config_from_json(j).encoder;
                c.classes = 0;
                return parameters_of(c);
              },
          .weight_rules = [](const Json&) { return kMilRules; }};
}

}  // namespace voxgrad
