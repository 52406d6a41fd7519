#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/centre_net/centre_net.h"
#include "models/configured_model.h"
#include "models/unet/unet_encoder.h"

namespace voxgrad {
namespace {

struct CentreNetOptions {
  UNetOptions unet;
  bool residual = false;
  int stage = -1;
};

void centre_net_option_keys(ConfigTable& t, CentreNetOptions& o) {
  add_encoder_keys(t, o.unet, o.residual);
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
          .least_weights = [](const Json& j) { return least_encoder_weights(centre_net_config_from_json(j).unet); }};
}

}  // namespace voxgrad
