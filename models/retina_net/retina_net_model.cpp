#include <algorithm>

#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/encoder/encoder_choice.h"
#include "models/retina_net/retina_net.h"

namespace voxgrad {
namespace {

struct RetinaNetOptions {
  EncoderChoice encoder;
  int stage = -1, levels = 3, anchors = 6, width = 64, head_depth = 1;
};

void retina_net_option_keys(ConfigTable& t, RetinaNetOptions& o) {
  o.encoder.add_keys(t);
  t.integer("stage", o.stage, -1, 7, "of the encoder, at whose resolution the finest level is, counted from 0; -1: the first that halves "
                                     "an axis, or divides it by 4 where the patch is at least 256 voxels long");
  t.integer("levels", o.levels, 1, 8, "of the pyramid, at most as many as there are stages from that one on");
  t.integer("anchors", o.anchors, 1, 256, "boxes that each place is asked for: as many as detection.anchors has, or would have");
  t.integer("width", o.width, 8, 4096, "channels of the pyramid and the heads, a multiple of 8");
  t.integer("head_depth", o.head_depth, 0, 8, "convolutions of each head before the last one");
}

NetworkPlan plan_retina_net(const RetinaNetOptions& o, const PlanRequest& r) {
  NetworkPlan plan = o.encoder.plan(r);
  RetinaNetConfig c{.in_channels = r.in_channels, .classes = r.out_channels, .encoder = plan.config};
  const std::vector<EncoderStage> all = encoder_stages(c.encoder);
  const int stages = int(all.size()), longest = std::max({plan.patch.d, plan.patch.h, plan.patch.w});
  check(o.stage < stages, "network.stage: is ", o.stage, ", the network has ", stages, " stages, counted from 0");
  check(o.width % 8 == 0, "network.width: is ", o.width, ", a multiple of 8 is wanted");
  c.stage = o.stage >= 0 ? o.stage : stage_of_stride(all, longest >= 256 ? 4 : 2);
  c.levels = std::min(o.levels, stages - c.stage);
  c.anchors = o.anchors;
  c.width = o.width;
  c.head_depth = o.head_depth;
  plan.config = to_json_text(c);
  return plan;
}

}  // namespace

ModelEntry retina_net_model() {
  return {.name = "retina_net",
          .summary = "a feature pyramid on an encoder, with classes and boxes of anchors at each of its levels",
          .options = [] { return Options::of<RetinaNetOptions>(retina_net_option_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_retina_net(o.as<RetinaNetOptions>(), r); },
          .build = built_from<RetinaNet>(retina_net_config_from_json),
          .traits = traits_from(retina_net_config_from_json),
          .least_weights = [](const Json& j) { return least_encoder_weights(retina_net_config_from_json(j).encoder); },
          .weight_rules = encoder_weight_rules};
}

}  // namespace voxgrad
