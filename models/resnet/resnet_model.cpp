#include <algorithm>

#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/encoder/staged_network.h"
#include "models/keyed_config.h"
#include "models/patch_plan.h"
#include "models/resnet/resnet.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(ResNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.choice("depth", c.depth, {10, 18, 34, 50, 101, 152, 200}, "10, 18 or 34: blocks of two convolutions; 50 and more: bottlenecks");
  t.integer("base_features", c.base_features, 1, 4096, "channels of the first stage, doubled at each of the three further ones");
  t.flag("small_stem", c.small_stem, "");
  t.integer("stem_stride", c.stem_stride, 1, 2, "of the large stem: 2, or 1 as in MONAI's networks");
  t.choice("shortcut", c.shortcut, {"A", "B"},
           "where extents or channels change. A: every second voxel, zeros for new channels; B: a 1x1x1 convolution. MedicalNet: A for 18 "
           "and 34");
  t.flag("shortcut_bias", c.shortcut_bias, "whether that convolution has a bias, as in MONAI's networks");
  t.flag("dilated", c.dilated, "dilations of 2 and 4 in place of the last two strides, as in MedicalNet");
  t.integer("flat_strides", c.flat_strides, -1, 5,
            "of its strides, the first that leave slices as they are, for volumes of thick ones; -1: by the spacing");
  t.flag("flat", c.flat, "");
  return t;
}

struct ResNetOptions {
  ResNetConfig net;
  std::string stem = "auto";
};

void add_keys(ConfigTable& t, ResNetOptions& o) {
  add_documented(t, keys_of(o.net));
  add_stem_key(t, o.stem);
}

// Strides leave slices as they are while these are twice as thick as voxels of features are wide, or half as many.
int flat_strides_for(const PlanRequest& r, const ResNetConfig& c, const Int3& patch) {
  const int all = count_of_strides(c);
  double wide = std::min(r.spacing[1], r.spacing[2]), extent = std::min(patch.h, patch.w);
  int flat = 0;
  for (; flat < all && (r.spacing[0] > 2 * wide || patch.d < extent / 2); wide *= 2, extent /= 2) ++flat;
  return flat;
}

// patch: about that which it will see.
ResNetConfig resnet_for(const ResNetOptions& o, const PlanRequest& r, const Int3& patch) {
  ResNetConfig c = o.net;
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.small_stem = starts_small(o.stem, patch);
  c.flat = patch.d == 1;
  if (c.flat_strides < 0) c.flat_strides = c.flat ? 0 : flat_strides_for(r, c, patch);
  return c;
}

NetworkPlan plan_resnet(const ResNetOptions& o, const PlanRequest& r) {
  const Int3 patch = whole_patch(r);
  return {to_json_text(resnet_for(o, r, patch)), patch};
}

struct ResNetEncoderOptions : ResNetOptions {
  ResNetEncoderOptions() { net.flat_strides = -1; }
};

NetworkPlan plan_resnet_encoder(const ResNetOptions& o, const PlanRequest& r) {
  const ResNetConfig c = resnet_for(o, r, whole_patch(r));
  return {to_json_text(c), planned_patch(r, stages_of(c).back().stride, kMostPatchVoxels)};
}

EncoderEntry resnet_encoder() {
  return encoder_of<ResNet, ResNetConfig>(
      {.options = [] { return Options::of<ResNetEncoderOptions>([](ConfigTable& t, ResNetEncoderOptions& o) { add_keys(t, o); }); },
       .plan = [](const Options& o, const PlanRequest& r) { return plan_resnet_encoder(o.as<ResNetEncoderOptions>(), r); },
       .read = resnet_config_from_json,
       .stages = stages_of,
       .features = &ResNet::features,
       .drop_rest = [](ResNet& net) { net.fc = {}; },
       .least_weights = headless_weights<ResNetConfig>});
}

// torchvision's names, which MONAI has too, and MedicalNet's.
constexpr const char* kResNetRules = R"([
  {"from": "**.num_batches_tracked", "skip": "a count that is not used"},
  {"from": "conv_seg.**", "skip": "a head of segmentation"},
  {"from": "**", "to": "$1", "layout": "channels_last"}])";

}  // namespace

std::string to_json_text(const ResNetConfig& c) {
  ResNetConfig copy = c;
  return json_text_of("resnet", keys_of(copy));
}

ResNetConfig resnet_config_from_json(const Json& j) {
  ResNetConfig c;
  set_fields(keys_of(c), j, "ResNetConfig");
  validate(c);
  return c;
}

ModelEntry resnet_model() {
  return {.name = "resnet",
          .summary = "residual network for values per image (He et al. 2016), with torchvision's names",
          .dense = false,
          .options = [] { return Options::of<ResNetOptions>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_resnet(o.as<ResNetOptions>(), r); },
          .build = built_from<ResNet>(resnet_config_from_json),
          .traits = traits_from(resnet_config_from_json),
          .least_weights = [](const Json& j) { return parameters_of(resnet_config_from_json(j)); },
          .weight_rules = [](const Json&) { return kResNetRules; },
          .encoder = resnet_encoder()};
}

}  // namespace voxgrad
