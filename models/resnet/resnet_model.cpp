#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/keyed_config.h"
#include "models/model_registry.h"
#include "models/resnet/resnet.h"

namespace voxgrad {
namespace {

constexpr int kSmall = 64;             // extents up to which a network starts at full resolution where its stem is "auto"
constexpr double kMostResNetVoxels = 128. * 128 * 128;

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(ResNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("depth", c.depth, 10, 152, "");
  t.integer("base_features", c.base_features, 1, 4096, "");
  t.flag("small_stem", c.small_stem, "");
  t.flag("flat", c.flat, "");
  return t;
}

struct ResNetOptions {
  int depth = 18, base_features = 64;
  std::string stem = "auto";
};

void add_keys(ConfigTable& t, ResNetOptions& o) {
  t.choice("depth", o.depth, {10, 18, 34, 50, 101, 152}, "10, 18 or 34: blocks of two convolutions; 50, 101 or 152: bottlenecks");
  t.integer("base_features", o.base_features, 1, 1024, "channels of the first stage, doubled at each of the three further ones");
  t.choice("stem", o.stem, {"auto", "large", "small"},
           "large: 7x7x7 with stride 2 and max pooling; small: 3x3x3 at full resolution; auto: small for patches of up to 64 voxels");
}

NetworkPlan plan_resnet(const ResNetOptions& o, const PlanRequest& r) {
  Int3 patch;
  for (int a = 0; a < 3; ++a) patch[a] = r.patch[a] > 0 ? r.patch[a] : std::max(1, int(std::lround(r.extent[size_t(a)])));
  // Where the median case is too large, all planned axes shrink alike; those of a few voxels cannot go on.
  int shrinking = 3;
  for (double voxels; voxels = double(patch.d) * patch.h * patch.w, voxels > kMostResNetVoxels;) {
    const double ratio = kMostResNetVoxels / voxels, shrink = shrinking == 3 ? std::cbrt(ratio) : std::pow(ratio, 1. / shrinking);
    shrinking = 0;
    for (int a = 0; a < 3; ++a) {
      const int before = patch[a];
      if (r.patch[a] == 0) patch[a] = std::max(1, int(patch[a] * shrink));
      shrinking += patch[a] < before;
    }
    if (shrinking == 0) break;
  }
  const bool small = std::max({patch.d, patch.h, patch.w}) <= kSmall;
  const ResNetConfig c{.in_channels = r.in_channels,
                       .classes = r.out_channels,
                       .depth = o.depth,
                       .base_features = o.base_features,
                       .small_stem = o.stem == "small" || (o.stem == "auto" && small),
                       .flat = patch.d == 1};
  return {to_json_text(c), patch};
}

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
          .build =
              [](const Json& j, Rng& rng) {
                const ResNetConfig c = resnet_config_from_json(j);
                return Network(ResNet(c, rng), traits_of(c), to_json_text(c));
              },
          .traits = [](const Json& j) { return traits_of(resnet_config_from_json(j)); },
          .least_weights = [](const Json& j) { return least_weights(resnet_config_from_json(j)); }};
}

}  // namespace voxgrad
