#include "train/planning/experiment_plan.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace voxgrad {
namespace {

using Triple = std::array<double, 3>;

constexpr double kAnisotropy = 3;         // ratio of spacings and of voxels
constexpr double kLowresCovers = 0.25;    // of the median case by a patch
constexpr double kLowresStep = 1.03;      // of its spacing
constexpr double kLowresReduction = 2;    // of the voxels, at the least
constexpr double kMaskedBelow = 3. / 4;   // of the median case, after cropping

// NumPy's, linear between order statistics.
double percentile(std::vector<double> v, double share) {
  std::sort(v.begin(), v.end());
  const double place = share * double(v.size() - 1), t = place - std::floor(place);
  const double low = v[size_t(place)], high = v[std::min(v.size() - 1, size_t(place) + 1)];
  return t < 0.5 ? low + (high - low) * t : high - (high - low) * (1 - t);
}

double percentile(const std::vector<Triple>& all, size_t axis, double share) {
  std::vector<double> v;
  for (auto& t : all) v.push_back(t[axis]);
  return percentile(std::move(v), share);
}

Triple median(const std::vector<Triple>& all) { return {percentile(all, 0, 0.5), percentile(all, 1, 0.5), percentile(all, 2, 0.5)}; }

double product(const Triple& t) { return t[0] * t[1] * t[2]; }
double largest(const Triple& t) { return *std::max_element(t.begin(), t.end()); }

Triple ordered(const Triple& t, const std::array<int, 3>& order) { return {t[size_t(order[0])], t[size_t(order[1])], t[size_t(order[2])]}; }

std::vector<Triple> extents_of(const Fingerprint& print) {
  std::vector<Triple> out;
  for (const Int3& e : print.cropped) out.push_back({double(e.d), double(e.h), double(e.w)});
  return out;
}

Triple target_spacing(const Fingerprint& print, const ExperimentRequest& r) {
  if (!r.spacing.empty()) return {r.spacing[0], r.spacing[1], r.spacing[2]};
  Triple out = median(print.spacings);
  const Triple size = median(extents_of(print));
  const size_t coarse = size_t(std::max_element(out.begin(), out.end()) - out.begin());
  double other_spacing = 0, other_size = 1e300;
  for (size_t a = 0; a < 3; ++a)
    if (a != coarse) other_spacing = std::max(other_spacing, out[a]), other_size = std::min(other_size, size[a]);
  if (out[coarse] > kAnisotropy * other_spacing && size[coarse] * kAnisotropy < other_size) {
    const double finer = percentile(print.spacings, coarse, 0.1);
    out[coarse] = finer < other_spacing ? other_spacing + 1e-5 : finer;
  }
  return out;
}

// The coarsest axis first, the others as they were.
std::array<int, 3> order_of(const Triple& spacing) {
  std::array<int, 3> out = {0, 1, 2};
  const auto coarse = std::max_element(spacing.begin(), spacing.end()) - spacing.begin();
  std::rotate(out.begin(), out.begin() + coarse, out.begin() + coarse + 1);
  return out;
}

Triple median_at(const Fingerprint& print, const Triple& spacing) {
  std::vector<Triple> out = extents_of(print);
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t a = 0; a < 3; ++a) out[i][a] = std::max(1.0, std::nearbyint(print.spacings[i][a] / spacing[a] * out[i][a]));
  return median(out);
}

class Planner {
 public:
  Planner(const ExperimentRequest& request, double cases) : request_(request), cases_(cases) {}

  ConfigurationPlan plan(const char* name, const Triple& spacing, const Triple& median, double voxels_per_case) const {
    const ModelEntry& entry = model_registry().find(request_.network);
    PlanRequest r{.in_channels = request_.in_channels,
                  .out_channels = request_.outputs,
                  .extent = median,
                  .spacing = spacing,
                  .budget = {.memory_gb = request_.memory_gb,
                             .dataset_voxels = voxels_per_case * cases_,
                             .slices = std::string(name) == "2d"}};
    ConfigurationPlan out{.name = name, .spacing = spacing, .median = median, .network = entry.plan(request_.options, r)};
    check(out.network.batch > 0, "plan: the network ", entry.name, " cannot be planned for an amount of memory; unet and resenc_unet can");
    return out;
  }

  // From a configuration "3d_fullres". Empty name: of no use.
  ConfigurationPlan lowres(const ConfigurationPlan& full) const {
    const double voxels_full = product(full.median);
    double voxels = voxels_full, in_patch = double(full.network.patch.d) * full.network.patch.h * full.network.patch.w;
    Triple spacing = full.spacing;
    ConfigurationPlan out;
    while (in_patch / voxels < kLowresCovers) {
      const double coarsest = largest(spacing);
      const bool aniso = std::any_of(spacing.begin(), spacing.end(), [&](double s) { return coarsest / s > 2; });
      for (double& s : spacing)
        if (!aniso || coarsest / s > 2) s *= kLowresStep;
      Triple median, rounded;
      for (size_t a = 0; a < 3; ++a) {
        median[a] = full.spacing[a] / spacing[a] * full.median[a];
        rounded[a] = std::max(1.0, std::nearbyint(median[a]));
      }
      voxels = product(median);
      out = plan("3d_lowres", spacing, rounded, voxels);
      in_patch = double(out.network.patch.d) * out.network.patch.h * out.network.patch.w;
    }
    if (voxels_full / voxels < kLowresReduction) out.name.clear();
    return out;
  }

 private:
  const ExperimentRequest& request_;
  double cases_;
};

}  // namespace

bool ExperimentPlan::cascade() const {
  return std::any_of(configurations.begin(), configurations.end(), [](auto& c) { return c.name == "3d_lowres"; });
}

const ConfigurationPlan& ExperimentPlan::at(const std::string& name) const {
  std::string all;
  for (auto& c : configurations) {
    if (c.name == name) return c;
    all += (all.empty() ? "" : ", ") + c.name;
  }
  fail("plan: there is no configuration ", name, " for this data set; it has ", all,
       name == "3d_lowres" ? ": a patch at full resolution holds enough of a case" : "");
}

ExperimentPlan plan_experiment(const Fingerprint& print, const ExperimentRequest& request) {
  check(!print.spacings.empty() && print.spacings.size() == print.cropped.size(), "plan: a fingerprint of ", print.spacings.size(),
        " spacings and ", print.cropped.size(), " extents, one of each for a case is wanted");
  const Triple target = target_spacing(print, request);
  ExperimentPlan out{.axis_order = order_of(target)};
  out.median_spacing = ordered(median(print.spacings), out.axis_order);
  out.median_extent = ordered(median(extents_of(print)), out.axis_order);
  out.mask = print.relative_size < kMaskedBelow;
  const Triple spacing = ordered(target, out.axis_order), extent = ordered(median_at(print, target), out.axis_order);
  const Planner planner(request, double(print.spacings.size()));
  ConfigurationPlan slices = planner.plan("2d", spacing, extent, product(extent));
  slices.spacing[0] = 0, slices.median[0] = 1;
  slices.batch_dice = true;
  out.configurations.push_back(slices);
  if (extent[0] == 1) return out;
  ConfigurationPlan full = planner.plan("3d_fullres", spacing, extent, product(extent));
  const ConfigurationPlan low = planner.lowres(full);
  full.batch_dice = !low.name.empty();
  if (!low.name.empty()) out.configurations.push_back(low);
  out.configurations.push_back(full);
  return out;
}

}  // namespace voxgrad
