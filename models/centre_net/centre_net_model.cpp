#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/centre_net/centre_net.h"
#include "models/configured_model.h"
#include "models/unet/unet_plan.h"

namespace voxgrad {
namespace {

struct CentreNetOptions {
  UNetOptions unet;
  bool residual = false;
  int stage = -1;
};

void centre_net_option_keys(ConfigTable& t, CentreNetOptions& o) {
  ConfigTable all;
  add_unet_keys(all, o.unet);
  for (ConfigKey& key : all.keys)
    if (key.name != "deep_supervision") t.keys.push_back(std::move(key));
  t.flag("residual", o.residual, "the encoder of residual blocks in place of the plain one");
  t.integer("stage", o.stage, -1, 7,
            "of the encoder, whose resolution the heat maps have: 0 is that of the image, each further one is halved; -1: 1, or 2 and 3 "
            "where the patch is at least 256 and 512 voxels long");
}

NetworkPlan plan_centre_net(CentreNetOptions o, const PlanRequest& r) {
  o.unet.deep_supervision = false;
  NetworkPlan plan = plan_unet(o.unet, r, o.residual);
  CentreNetConfig c{.in_channels = r.in_channels, .classes = r.out_channels};
  c.unet = unet_config_from_json(Json::parse(plan.config));
  const int stages = c.unet.stages(), longest = std::max({plan.patch.d, plan.patch.h, plan.patch.w});
  check(o.stage < stages, "network.stage: is ", o.stage, ", the network has ", stages, " stages, counted from 0");
  c.stage = o.stage >= 0 ? o.stage : std::clamp(int(std::log2(longest / 64.)), 1, std::min(3, stages - 1));
  plan.config = to_json_text(c);
  return plan;
}

}  // namespace

ModelEntry centre_net_model() {
  return {.name = "centre_net",
          .summary = "a U-Net with a heat map of the centres of objects and their boxes, at a part of the resolution",
          .options = [] { return Options::of<CentreNetOptions>(centre_net_option_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_centre_net(o.as<CentreNetOptions>(), r); },
          .build = built_from<CentreNet>(centre_net_config_from_json),
          .traits = traits_from(centre_net_config_from_json),
          .least_weights =
              [](const Json& j) {
                const UNetConfig c = centre_net_config_from_json(j).unet;
                double n = 0;
                for (size_t s = 0; s < c.features.size(); ++s) {
                  const double taps = double(c.kernels[s].d) * c.kernels[s].h * c.kernels[s].w;
                  n += taps * (c.encoder_depth[s] - 1.0) * c.features[s] * c.features[s];
                }
                return n;
              }};
}

}  // namespace voxgrad
