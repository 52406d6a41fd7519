#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/centre_net/centre_net.h"
#include "models/configured_model.h"
#include "models/encoder/encoder_choice.h"

namespace voxgrad {
namespace {

struct CentreNetOptions {
  EncoderChoice encoder;
  int stage = -1;
};

void centre_net_option_keys(ConfigTable& t, CentreNetOptions& o) {
  o.encoder.add_keys(t);
  t.integer(
      "stage", o.stage, -1, 7,
      "of the encoder, whose resolution the heat maps have: 0 is the finest, that of the image in a U-Net; -1: the first that halves an "
      "axis, or divides it by 4 and 8 where the patch is at least 256 and 512 voxels long");
}

NetworkPlan plan_centre_net(const CentreNetOptions& o, const PlanRequest& r) {
  NetworkPlan plan = o.encoder.plan(r);
  CentreNetConfig c{.in_channels = r.in_channels, .classes = r.out_channels, .encoder = plan.config};
  const std::vector<EncoderStage> all = encoder_stages(c.encoder);
  const int stages = int(all.size()), longest = std::max({plan.patch.d, plan.patch.h, plan.patch.w});
  check(o.stage < stages, "network.stage: is ", o.stage, ", the network has ", stages, " stages, counted from 0");
  c.stage = o.stage >= 0 ? o.stage : stage_of_stride(all, 1 << std::clamp(int(std::log2(longest / 64.)), 1, 3));
  plan.config = to_json_text(c);
  return plan;
}

}  // namespace

ModelEntry centre_net_model() {
  return {
      .name = "centre_net",
      .summary = "an encoder and a U-Net's decoder, with a heat map of the centres of objects and their boxes, at a part of the resolution",
      .options = [] { return Options::of<CentreNetOptions>(centre_net_option_keys); },
      .plan = [](const Options& o, const PlanRequest& r) { return plan_centre_net(o.as<CentreNetOptions>(), r); },
      .build = built_from<CentreNet>(centre_net_config_from_json),
      .traits = traits_from(centre_net_config_from_json),
      .least_weights = [](const Json& j) { return least_encoder_weights(centre_net_config_from_json(j).encoder); },
      .weight_rules = encoder_weight_rules};
}

}  // namespace voxgrad
