#include "models/unet/unet_plan.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace voxgrad {
namespace {

constexpr int kMinExtent = 4;                    // of a feature map (nnU-Net)
constexpr double kMaxVoxels = 128. * 128 * 128;  // of a planned patch
constexpr double kStartVoxels = 256. * 256 * 256;

using Spacing3 = std::array<double, 3>;

struct Topology {
  std::vector<Int3> strides, kernels;  // per stage; the first stride is 1
  Int3 divisor = {1, 1, 1};
};

// Halves axes while they are long enough and about as finely spaced as the finest of them.
Topology topology_of(Int3 patch, Spacing3 spacing, int max_stages) {
  Topology t;
  Int3 stride = {1, 1, 1}, kernel = {1, 1, 1};
  double size[3] = {double(patch.d), double(patch.h), double(patch.w)};
  for (;;) {
    const double finest = *std::min_element(spacing.begin(), spacing.end());
    for (int a = 0; a < 3; ++a)
      if (spacing[size_t(a)] < 2 * finest && patch[a] > 1) kernel[a] = 3;
    t.strides.push_back(stride);
    t.kernels.push_back(kernel);
    if (int(t.strides.size()) == max_stages) return t;
    double finest_long = 1e300;
    for (int a = 0; a < 3; ++a)
      if (size[a] >= 2 * kMinExtent) finest_long = std::min(finest_long, spacing[size_t(a)]);
    int halved = 0, last = 0;
    stride = {1, 1, 1};
    for (int a = 0; a < 3; ++a)
      if (size[a] >= 2 * kMinExtent && spacing[size_t(a)] < 2 * finest_long) stride[a] = 2, ++halved, last = a;
    if (halved == 0 || (halved == 1 && size[last] < 3 * kMinExtent)) return t;
    for (int a = 0; a < 3; ++a)
      if (stride[a] == 2) size[a] = std::ceil(size[a] / 2), spacing[size_t(a)] *= 2, t.divisor[a] *= 2;
  }
}

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

Int3 planned_patch(const std::array<double, 3>& median_extent, const Spacing3& spacing, int max_stages) {
  const double unit = std::cbrt(kStartVoxels * spacing[0] * spacing[1] * spacing[2]);
  Int3 patch;
  for (int a = 0; a < 3; ++a) patch[a] = std::max(1, int(std::lround(std::min(unit / spacing[size_t(a)], median_extent[size_t(a)]))));
  for (;;) {
    const Topology t = topology_of(patch, spacing, max_stages);
    for (int a = 0; a < 3; ++a) patch[a] = round_up(patch[a], t.divisor[a]);
    if (double(patch.d) * patch.h * patch.w <= kMaxVoxels) return patch;
    int longest = 0;
    for (int a = 1; a < 3; ++a)
      if (patch[a] / median_extent[size_t(a)] > patch[longest] / median_extent[size_t(longest)]) longest = a;
    patch[longest] -= std::max(1, t.divisor[longest]);
  }
}

constexpr int kResidualBlocks[] = {1, 3, 4, 6, 6, 6, 6, 6};

}  // namespace

void add_unet_keys(ConfigTable& t, UNetOptions& o) {
  t.integer("base_features", o.base_features, 1, 1024, "channels of the first stage, doubled at every further one");
  t.integer("max_features", o.max_features, 1, 4096, "the most channels of a stage");
  t.integer("stages", o.stages, 0, 8, "resolutions of the network; 0: as many as the patch allows, 6 at most");
  t.flag("deep_supervision", o.deep_supervision, "losses at the lower resolutions of the decoder too");
}

NetworkPlan plan_unet(const UNetOptions& o, const PlanRequest& request, bool residual) {
  const int max_stages = o.stages ? o.stages : 6;
  Int3 patch = request.patch;
  const Int3 free = planned_patch(request.extent, request.spacing, max_stages);
  for (int a = 0; a < 3; ++a)
    if (patch[a] == 0) patch[a] = free[a];
  const Topology t = topology_of(patch, request.spacing, max_stages);
  for (int a = 0; a < 3; ++a)
    check(patch[a] % t.divisor[a] == 0, "train.patch: ", patch, " is not a multiple of ", t.divisor, ", the strides of a network of ",
          t.strides.size(), " stages; choose a multiple, or fewer network.stages");

  const size_t stages = t.strides.size();
  UNetConfig net;
  net.in_channels = request.in_channels;
  net.classes = request.out_channels;
  net.residual = residual;
  net.deep_supervision = o.deep_supervision && stages > 2;
  net.strides = t.strides;
  net.kernels = t.kernels;
  for (size_t s = 0; s < stages; ++s) net.features.push_back(int(std::min<int64_t>(o.max_features, int64_t(o.base_features) << s)));
  for (size_t s = 0; s < stages; ++s) net.encoder_depth.push_back(residual ? kResidualBlocks[s] : 2);
  net.decoder_depth.assign(stages - 1, residual ? 1 : 2);
  return {to_json(net).dump(), patch};
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
