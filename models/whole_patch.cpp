#include "models/whole_patch.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {

Int3 whole_patch(const PlanRequest& r, double most_voxels) {
  Int3 patch;
  for (int a = 0; a < 3; ++a) patch[a] = r.patch[a] > 0 ? r.patch[a] : std::max(1, int(std::lround(r.extent[size_t(a)])));
  // Extents of a few voxels cannot go on shrinking; the others do.
  int shrinking = 3;
  for (double voxels; voxels = double(patch.d) * patch.h * patch.w, voxels > most_voxels;) {
    const double ratio = most_voxels / voxels, shrink = shrinking == 3 ? std::cbrt(ratio) : std::pow(ratio, 1. / shrinking);
    shrinking = 0;
    for (int a = 0; a < 3; ++a) {
      const int before = patch[a];
      if (r.patch[a] == 0) patch[a] = std::max(1, int(patch[a] * shrink));
      shrinking += patch[a] < before;
    }
    if (shrinking == 0) break;
  }
  return patch;
}

void add_stem_key(ConfigTable& t, std::string& stem, int small) {
  const std::string help = "large: 7x7x7 with stride 2 and max pooling; small: 3x3x3 at full resolution; auto: small for extents of up " +
                           ("to " + std::to_string(small)) + " voxels in slices and " + std::to_string(kSmallVolume) + " in volumes";
  t.choice("stem", stem, {"auto", "large", "small"}, help.c_str());
}

bool starts_small(const std::string& stem, const Int3& patch, int small) {
  return stem == "small" || (stem == "auto" && std::max({patch.d, patch.h, patch.w}) <= (patch.d == 1 ? small : kSmallVolume));
}

}  // namespace voxgrad
