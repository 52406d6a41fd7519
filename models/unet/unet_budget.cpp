#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "models/unet/unet_plan.h"
#include "models/unet/unet_topology.h"

namespace voxgrad {
namespace {

constexpr double kMostCovered = 0.05;  // of the data set's voxels in a batch, where `capped`
constexpr int kLeastBatch = 2, kMostBatch = 1024;
constexpr int kMostFeatures2d = 512;

// nnU-Net's measurements: a network with so many values in its feature maps takes so much memory at the batch of reference.
struct Reference {
  double gb, values_3d, values_2d;
  bool capped;
};
constexpr Reference kPlain = {8, 560e6, 85e6, true};
constexpr Reference kResidual[] = {{8, 680e6, 135e6, false}, {24, 2100e6, 380e6, false}, {40, 3600e6, 560e6, false}};  // M, L, XL

Reference reference_for(double gb, bool residual) {
  if (!residual) return kPlain;
  Reference out = kResidual[0];
  for (const Reference& r : kResidual)
    if (r.gb <= gb) out = r;
  return out;
}

double voxels_of(const Int3& v) { return double(v.d) * v.h * v.w; }

// Python's round.
double half_even(double v) { return std::nearbyint(v); }

PlanExtent first_patch(const PlanRequest& r) {
  const int first = r.budget.slices ? 1 : 0;
  double product = 1;
  for (size_t a = size_t(first); a < 3; ++a) product *= 1 / r.spacing[a];
  const double unit = r.budget.slices ? std::pow(2048. * 2048 / product, 1. / 2) : std::pow(256. * 256 * 256 / product, 1. / 3);
  PlanExtent out = {1, 1, 1};
  for (size_t a = size_t(first); a < 3; ++a) out[a] = std::max(1., std::min(half_even(1 / r.spacing[a] * unit), r.extent[a]));
  return out;
}

struct Candidate {
  Int3 patch;
  UNetTopology topology;
};

Candidate candidate(const PlanExtent& patch, const PlanRequest& r, const TopologyRules& rules) {
  Candidate c;
  c.topology = unet_topology(patch, r.spacing, rules);
  c.patch = padded_to(patch, c.topology.divisor);
  return c;
}

// nnU-Net's step: not by the divisor at hand, which might leave out an extent that has a smaller one.
Candidate reduced(const Candidate& c, int axis, const PlanRequest& r, const TopologyRules& rules) {
  PlanExtent less = extent_of(c.patch);
  less[size_t(axis)] -= c.topology.divisor[axis];
  if (less[size_t(axis)] < 1) return c;
  const UNetTopology then = unet_topology(less, r.spacing, rules);
  less[size_t(axis)] = c.patch[axis] - then.divisor[axis];
  return candidate(less, r, rules);
}

// The next smaller patch: of the axis that is longest beside the median case (of two alike the last), or of the next one where that cannot
// be; none: the same.
Candidate smaller(const Candidate& c, const PlanRequest& r, const TopologyRules& rules) {
  std::array<int, 3> order = {2, 1, 0};
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return c.patch[a] / r.extent[size_t(a)] > c.patch[b] / r.extent[size_t(b)];
  });
  for (int axis : order) {
    if (rules.flat && axis == 0) continue;
    const Candidate next = reduced(c, axis, r, rules);
    if (voxels_of(next.patch) < voxels_of(c.patch) && next.topology.strides.size() > 1) return next;
  }
  return c;
}

}  // namespace

double feature_map_values(const UNetConfig& c, const Int3& patch) {
  double total = 0;
  Int3 size = patch;
  for (size_t s = 0; s < c.features.size(); ++s) {
    bool strided = false;
    for (int a = 0; a < 3; ++a) size[a] /= c.strides[s][a], strided = strided || c.strides[s][a] > 1;
    const double map = voxels_of(size) * c.features[s];
    if (c.residual) {
      const bool shortcut = strided || (s > 0 && c.features[s] != c.features[s - 1]);
      total += map * ((s == 0 ? 1 : 0) + 2. * c.encoder_depth[s] + (shortcut ? 1 : 0));
    } else {
      total += map * c.encoder_depth[s];
    }
    if (s + 1 < c.features.size()) total += map * (c.decoder_depth[c.features.size() - 2 - s] + 1);  // and what is upsampled
  }
  return total + voxels_of(patch) * c.classes;
}

NetworkPlan plan_unet_for_memory(const UNetOptions& options, const PlanRequest& r, bool residual) {
  const bool flat = r.budget.slices;
  const Reference reference = reference_for(r.budget.memory_gb, residual);
  const double values = (flat ? reference.values_2d : reference.values_3d) * (r.budget.memory_gb / reference.gb);
  const int reference_batch = flat ? 12 : 2;
  UNetOptions o = options;
  if (flat && o.max_features == UNetOptions{}.max_features) o.max_features = kMostFeatures2d;
  const TopologyRules rules = {.max_stages = o.stages ? o.stages : 64, .nnunet = true, .flat = flat};
  check(rules.max_stages > 1, "network.stages: 1, a U-Net has two at the least");

  const auto estimate = [&](const Candidate& c) { return feature_map_values(unet_config_of(o, c.topology, r, residual), c.patch); };
  Candidate c = candidate(enough_for_two_stages(first_patch(r), r.spacing, rules), r, rules);
  double taken = estimate(c);
  // The planner of residual networks counts its reference for one patch.
  const double least = residual ? 1 : double(kLeastBatch) / reference_batch;
  while (taken * least > values) {
    const Candidate next = smaller(c, r, rules);
    check(next.patch != c.patch, "plan: ", r.budget.memory_gb, " GB are too little memory for a U-Net of ", r.out_channels,
          " outputs: even patches of ", c.patch, " voxels do not fit");
    c = next;
    taken = estimate(c);
  }
  double batch = half_even(values / taken * reference_batch);
  const double covered = reference.capped ? kMostCovered : 1;
  batch = std::max<double>(std::min(batch, half_even(r.budget.dataset_voxels * covered / voxels_of(c.patch))), kLeastBatch);
  return {to_json(unet_config_of(o, c.topology, r, residual)).dump(), c.patch, int(std::min<double>(batch, kMostBatch))};
}

}  // namespace voxgrad
