#include "models/patch_plan.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace voxgrad {

Int3 planned_patch(const PlanRequest& r, const Int3& divisor, double most_voxels) {
  Int3 patch = r.patch;
  const double largest = std::cbrt(most_voxels) * 4;  // along an axis
  const auto least = [&](int a) { return divisor[a] == 1 ? 1 : 2 * divisor[a]; };
  for (int a = 0; a < 3; ++a) {
    check(patch[a] % divisor[a] == 0, "train.patch: ", patch, " is not a multiple of ", divisor, ", the strides of the network");
    if (patch[a] > 0) continue;
    const double wanted = std::ceil(std::min(r.extent[size_t(a)], largest) / divisor[a]) * divisor[a];
    patch[a] = std::max(least(a), int(wanted));
  }
  while (double(patch.d) * patch.h * patch.w > most_voxels) {
    int longest = -1;
    for (int a = 0; a < 3; ++a)
      if (r.patch[a] == 0 && patch[a] - divisor[a] >= least(a) && (longest < 0 || patch[a] > patch[longest])) longest = a;
    if (longest < 0) break;
    patch[longest] -= divisor[longest];
  }
  return patch;
}

}  // namespace voxgrad
