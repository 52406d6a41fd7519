#include "models/unet/unet_topology.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

constexpr int kMinExtent = 4;                                   // of a feature map
constexpr double kTwo = 2 * kMinExtent, kAlone = 3 * kMinExtent;  // of an axis that is halved, with others or alone

double finest_of(const PlanExtent& spacing, const std::array<bool, 3>& of) {
  double finest = 1e300;
  for (size_t a = 0; a < 3; ++a)
    if (of[a]) finest = std::min(finest, spacing[a]);
  return finest;
}

}  // namespace

UNetTopology unet_topology(const PlanExtent& patch, PlanExtent spacing, const TopologyRules& rules) {
  UNetTopology t;
  Int3 stride = {1, 1, 1}, kernel = {1, 1, 1};
  PlanExtent size = patch;
  const std::array<bool, 3> present = {!rules.flat, true, true};
  for (;;) {
    const double finest = finest_of(spacing, present);
    for (int a = 0; a < 3; ++a) {
      const size_t i = size_t(a);
      const bool fine = present[i] && spacing[i] < 2 * finest && (rules.nnunet || patch[i] > 1);
      if (fine || stride[a] == 2) kernel[a] = 3;
    }
    t.strides.push_back(stride);
    t.kernels.push_back(kernel);
    if (int(t.strides.size()) == rules.max_stages) break;
    std::array<bool, 3> halved;
    for (size_t a = 0; a < 3; ++a) halved[a] = present[a] && size[a] >= kTwo;
    const double finest_long = finest_of(spacing, halved);
    int count = 0;
    double last = 0;
    for (size_t a = 0; a < 3; ++a) {
      halved[a] = halved[a] && spacing[a] < 2 * finest_long;
      if (halved[a]) ++count, last = size[a];
    }
    if (count == 0 || (count == 1 && last < kAlone)) break;
    for (int a = 0; a < 3; ++a) {
      const size_t i = size_t(a);
      stride[a] = halved[i] ? 2 : 1;
      if (halved[i]) size[i] = std::ceil(size[i] / 2), spacing[i] *= 2, t.divisor[a] *= 2;
    }
  }
  if (rules.nnunet) t.kernels.back() = {rules.flat ? 1 : 3, 3, 3};
  return t;
}

PlanExtent enough_for_two_stages(PlanExtent patch, const PlanExtent& spacing, const TopologyRules& rules) {
  if (rules.max_stages < 2 || unet_topology(patch, spacing, rules).strides.size() > 1) return patch;
  std::array<bool, 3> wide;
  for (size_t a = 0; a < 3; ++a) wide[a] = patch[a] > 1 && !(rules.flat && a == 0);
  if (wide == std::array{false, false, false}) wide = {false, true, true};
  const double finest = finest_of(spacing, wide);
  int64_t grown = 0;
  for (size_t a = 0; a < 3; ++a) {
    wide[a] = wide[a] && spacing[a] < 2 * finest;
    grown += wide[a];
  }
  for (size_t a = 0; a < 3; ++a)
    if (wide[a]) patch[a] = std::max(patch[a], grown > 1 ? kTwo : kAlone);
  return patch;
}

Int3 padded_to(const PlanExtent& patch, const Int3& divisor) {
  Int3 out;
  for (int a = 0; a < 3; ++a) out[a] = int(std::ceil(patch[size_t(a)] / divisor[a])) * divisor[a];
  return out;
}

}  // namespace voxgrad
