#include <algorithm>

#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/learned_primal_dual/learned_primal_dual.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

constexpr int kMostSide = 1448;  // of a planned patch, of no more than 128^3 pixels

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(LearnedPrimalDualConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("out_channels", c.out_channels, 1, 1 << 20, "");
  t.integer("iterations", c.iterations, 1, 100, "pairs of a step in the projections and one in the image");
  t.integer("primal", c.primal, 1, 64, "channels of memory in the image");
  t.integer("dual", c.dual, 1, 64, "and in the projections");
  t.integer("features", c.features, 1, 1024, "channels of the convolutions between");
  return t;
}

void add_keys(ConfigTable& t, LearnedPrimalDualConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_learned_primal_dual(LearnedPrimalDualConfig c, const PlanRequest& r) {
  c.in_channels = r.in_channels;
  c.out_channels = r.out_channels;
  PlanRequest slices = r;
  if (slices.patch.d == 0) slices.patch.d = 1;
  Int3 patch = whole_patch(slices);
  patch.h = patch.w = std::min(std::max(patch.h, patch.w), kMostSide);
  patch.d = 1;
  return {to_json_text(c), patch};
}

}  // namespace

void validate(const LearnedPrimalDualConfig& c) {
  check(c.iterations >= 1 && c.primal >= 1 && c.dual >= 1 && c.features >= 1, "LearnedPrimalDualConfig: ", c.iterations, " iterations of ",
        c.primal, ", ", c.dual, " and ", c.features, " channels");
}

std::string to_json_text(const LearnedPrimalDualConfig& c) {
  LearnedPrimalDualConfig copy = c;
  return json_text_of("learned_primal_dual", keys_of(copy));
}

LearnedPrimalDualConfig learned_primal_dual_config_from_json(const Json& j) {
  LearnedPrimalDualConfig c;
  set_fields(keys_of(c), j, "LearnedPrimalDualConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const LearnedPrimalDualConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.out_channels}; }

ModelEntry learned_primal_dual_model() {
  return {.name = "learned_primal_dual",
          .summary = "the learned primal-dual reconstruction of projections (Adler and Oktem 2018)",
          .options = [] { return Options::of<LearnedPrimalDualConfig>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_learned_primal_dual(o.as<LearnedPrimalDualConfig>(), r); },
          .build = built_from<LearnedPrimalDual>(learned_primal_dual_config_from_json),
          .traits = traits_from(learned_primal_dual_config_from_json),
          .least_weights = [](const Json& j) {
            const LearnedPrimalDualConfig c = learned_primal_dual_config_from_json(j);
            return c.iterations * 18.0 * c.features * c.features;
          }};
}

}  // namespace voxgrad
