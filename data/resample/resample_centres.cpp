#include "data/resample/resample_centres.h"

#include <algorithm>

#include "core/autograd.h"

namespace voxgrad {

SeparableMap centres_map(const Int3& in, const Int3& size, const Vec3& from, const Vec3& to) {
  SeparableMap map;
  for (int a = 0; a < 3; ++a) {
    const double step = to[size_t(a)] / from[size_t(a)];
    map.axis[a] = axis_matrix(in[a], size[a], [&](int o) -> std::vector<Tap> {
      const double at = std::min(o * step, double(in[a] - 1));
      const int low = int(at);
      if (at == low) return {{low, 1}};
      return {{low, 1 - (at - low)}, {low + 1, at - low}};
    });
  }
  return map;
}

Tensor resample_centres(const Tensor& x, const Int3& size, const Vec3& from, const Vec3& to) {
  const Unrecorded quiet;
  return apply_to_volume(centres_map({int(x.dim(0)), int(x.dim(1)), int(x.dim(2))}, size, from, to), x);
}

}  // namespace voxgrad
