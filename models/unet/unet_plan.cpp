#include "models/unet/unet_plan.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/unet/unet_topology.h"

namespace voxgrad {
namespace {

constexpr double kMaxVoxels = 128. * 128 * 128;  // of a planned patch
constexpr double kStartVoxels = 256. * 256 * 256;

// Reduces the axis that is longest beside the median until the patch is small enough.
Int3 planned_patch(const PlanExtent& median_extent, const PlanExtent& spacing, const TopologyRules& rules) {
  const double unit = std::cbrt(kStartVoxels * spacing[0] * spacing[1] * spacing[2]);
  Int3 patch;
  for (int a = 0; a < 3; ++a) patch[a] = std::max(1, int(std::lround(std::min(unit / spacing[size_t(a)], median_extent[size_t(a)]))));
  for (;;) {
    const PlanExtent enough = enough_for_two_stages(extent_of(patch), spacing, rules);
    const UNetTopology t = unet_topology(enough, spacing, rules);
    patch = padded_to(enough, t.divisor);
    if (double(patch.d) * patch.h * patch.w <= kMaxVoxels) return patch;
    int longest = -1;
    for (int a = 0; a < 3; ++a)
      if (patch[a] > t.divisor[a] &&
          (longest < 0 || patch[a] / median_extent[size_t(a)] > patch[longest] / median_extent[size_t(longest)]))
        longest = a;
    patch[longest] -= t.divisor[longest];
  }
}

constexpr int kResidualBlocks[] = {1, 3, 4, 6};  // then 6

}  // namespace

UNetConfig unet_config_of(const UNetOptions& o, const UNetTopology& t, const PlanRequest& request, bool residual) {
  const size_t stages = t.strides.size();
  UNetConfig net;
  net.in_channels = request.in_channels;
  net.classes = request.out_channels;
  net.residual = residual;
  net.norm = norm_kind_of(o.norm);
  net.deep_supervision = o.deep_supervision && stages > 2;
  net.strides = t.strides;
  net.kernels = t.kernels;
  for (size_t s = 0; s < stages; ++s) net.features.push_back(int(std::min<int64_t>(o.max_features, int64_t(o.base_features) << s)));
  for (size_t s = 0; s < stages; ++s) net.encoder_depth.push_back(residual ? kResidualBlocks[std::min<size_t>(s, 3)] : 2);
  net.decoder_depth.assign(stages - 1, residual ? 1 : 2);
  return net;
}

void add_unet_keys(ConfigTable& t, UNetOptions& o) {
  t.integer("base_features", o.base_features, 1, 1024, "channels of the first stage, doubled at every further one");
  t.integer("max_features", o.max_features, 1, 4096, "the most channels of a stage");
  t.integer("stages", o.stages, 0, 8, "resolutions of the network; 0: as many as the patch allows, 6 at most");
  t.flag("deep_supervision", o.deep_supervision, "losses at the lower resolutions of the decoder too");
  t.choice("norm", o.norm, {"instance", "batch", "group", "none"},
           "behind each convolution; none where values count as they are, as in restoration, which a norm of each patch forgets");
}

NetworkPlan plan_unet(const UNetOptions& o, const PlanRequest& request, bool residual) {
  if (request.budget.memory_gb > 0) return plan_unet_for_memory(o, request, residual);
  const TopologyRules rules = {.max_stages = o.stages ? o.stages : 6};
  check(rules.max_stages > 1, "network.stages: 1, a U-Net has two at the least");
  Int3 patch = request.patch;
  const Int3 free = planned_patch(request.extent, request.spacing, rules);
  for (int a = 0; a < 3; ++a)
    if (patch[a] == 0) patch[a] = free[a];
  UNetTopology t = unet_topology(extent_of(patch), request.spacing, rules);
  // Where some extents are given, the others follow the strides that come of them.
  for (Int3 before = {0, 0, 0}; patch != before;) {
    before = patch;
    const Int3 padded = padded_to(extent_of(patch), t.divisor);
    for (int a = 0; a < 3; ++a)
      if (request.patch[a] == 0) patch[a] = padded[a];
    t = unet_topology(extent_of(patch), request.spacing, rules);
  }
  check(t.strides.size() > 1, "train.patch: ", patch, " of ", request.spacing[0], " x ", request.spacing[1], " x ", request.spacing[2],
        " mm is too small for a U-Net, which halves it once at the least; 8 voxels along two axes are wanted, or 12 along one, of about "
        "the same spacing");
  for (int a = 0; a < 3; ++a)
    check(patch[a] % t.divisor[a] == 0, "train.patch: ", patch, " is not a multiple of ", t.divisor, ", the strides of a network of ",
          t.strides.size(), " stages; choose a multiple, or fewer network.stages");

  return {to_json(unet_config_of(o, t, request, residual)).dump(), patch};
}

ModelEntry unet_entry(const char* name, const char* summary, bool residual) {
  // Files of before the kinds had names hold none, and the JSON of a U-Net still says by "residual" which of the two it is.
  const auto config_of = [](Json j) {
    j.erase("kind");
    return unet_config_from_json(j);
  };
  return {.name = name,
          .summary = summary,
          .options = [] { return Options::of<UNetOptions>(add_unet_keys); },
          .plan = [residual](const Options& o, const PlanRequest& r) { return plan_unet(o.as<UNetOptions>(), r, residual); },
          .build = [config_of](const Json& j, Rng& rng) { return network_of(UNet(config_of(j), rng)); },
          .traits = [config_of](const Json& j) { return traits_of(config_of(j)); },
          .least_weights = [config_of](const Json& j) { return config_of(j).least_weights(); }};
}

}  // namespace voxgrad
