#include "train/plan.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int kMinExtent = 4;                    // of a feature map (nnU-Net)
constexpr double kMaxVoxels = 128. * 128 * 128;  // of a planned patch
constexpr double kStartVoxels = 256. * 256 * 256;

using Spacing3 = std::array<double, 3>;

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const size_t m = v.size() / 2;
  return v.size() % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
}

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

bool is_ct(std::string name) {
  for (auto& c : name) c = char(std::tolower(c));
  return name == "ct";
}

}  // namespace

ModelDescription plan(const Dataset& dataset, const Fingerprint& print, const TrainConfig& config) {
  ModelDescription d;
  d.channels = dataset.channel_names;
  d.labels = dataset.labels;
  d.nan = config.data.nan;
  d.overlap = config.predict.overlap;
  d.mirror = config.predict.mirror;
  d.dtype = config.train.dtype;

  std::array<double, 3> extent;
  for (size_t a = 0; a < 3; ++a) {
    std::vector<double> spacings, extents;
    for (auto& s : print.spacings) spacings.push_back(s[a]);
    d.spacing[a] = config.data.spacing.empty() ? median(spacings) : config.data.spacing[a];
    for (size_t i = 0; i < print.extents.size(); ++i) extents.push_back(print.extents[i][int(a)] * print.spacings[i][a] / d.spacing[a]);
    extent[a] = median(extents);
  }

  for (size_t c = 0; c < d.channels.size(); ++c) {
    const std::string& wanted = config.data.normalization;
    const bool ct = wanted == "ct" || (wanted == "auto" && is_ct(d.channels[c]));
    Normalization n = ct ? print.foreground.at(c) : Normalization{};
    n.kind = ct ? "ct" : wanted == "none" ? "none" : "zscore";
    d.normalization.push_back(n);
  }

  const int max_stages = config.network.stages ? config.network.stages : 6;
  d.patch = config.train.patch;
  const Int3 free = planned_patch(extent, d.spacing, max_stages);
  for (int a = 0; a < 3; ++a)
    if (d.patch[a] == 0) d.patch[a] = free[a];
  const Topology t = topology_of(d.patch, d.spacing, max_stages);
  for (int a = 0; a < 3; ++a)
    check(d.patch[a] % t.divisor[a] == 0, "train.patch: ", d.patch, " is not a multiple of ", t.divisor, ", the strides of a network of ",
          t.strides.size(), " stages; choose a multiple, or fewer network.stages");

  const size_t stages = t.strides.size();
  UNetConfig& net = d.network;
  net.in_channels = int(d.channels.size());
  net.classes = int(d.labels.size());
  net.residual = config.network.kind == "resenc_unet";
  net.deep_supervision = config.network.deep_supervision && stages > 2;
  net.strides = t.strides;
  net.kernels = t.kernels;
  net.features.clear();
  for (size_t s = 0; s < stages; ++s)
    net.features.push_back(int(std::min<int64_t>(config.network.max_features, int64_t(config.network.base_features) << s)));
  constexpr int kResidualBlocks[] = {1, 3, 4, 6, 6, 6, 6, 6};
  net.encoder_depth.clear();
  for (size_t s = 0; s < stages; ++s) net.encoder_depth.push_back(net.residual ? kResidualBlocks[s] : 2);
  net.decoder_depth.assign(stages - 1, net.residual ? 1 : 2);
  return d;
}

}  // namespace voxgrad
