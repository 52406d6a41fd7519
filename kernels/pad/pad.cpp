#include "kernels/pad/pad.h"

#include <algorithm>

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/separable/separable.h"

namespace voxgrad {
namespace {

// The source of each position of a padded axis.
std::vector<int> sources(int in, int before, int after, PadMode mode) {
  std::vector<int> map;
  for (int i = -before; i < in + after; ++i) {
    const int reflected = i < 0 ? -i : i >= in ? 2 * (in - 1) - i : i;
    map.push_back(mode == PadMode::edge ? std::clamp(i, 0, in - 1) : reflected);
  }
  return map;
}

}  // namespace

Tensor pad3d(const Tensor& x, const Int3& before, const Int3& after, const PadOptions& o) {
  check(x && x.shape().rank == 5, "pad3d: {N, D, H, W, C} is wanted, not ", x);
  const Int3 in = x.shape().spatial();
  for (int k = 0; k < 3; ++k) {
    check(before[k] >= 0 && after[k] >= 0, "pad3d: ", before, " before and ", after,
          " after: negative padding is not possible (see crop3d)");
    check(o.mode != PadMode::edge || in[k] > 0 || before[k] + after[k] == 0, "pad3d: ", x, " has no voxel to repeat");
    check(o.mode != PadMode::reflect || std::max(before[k], after[k]) < std::max(1, in[k]), "pad3d: reflection by ", before, " and ", after,
          " wants larger extents than those of ", x);
  }
  const char* const modes[] = {"constant", "edge", "reflect"};
  const Op op = {"pad3d", {{"before", before}, {"after", after}, {"mode", modes[int(o.mode)]}, {"value", o.value}}};
  if (o.mode != PadMode::constant) {
    std::vector<int> map[3];
    for (int k = 0; k < 3; ++k) map[k] = sources(in[k], before[k], after[k], o.mode);
    return gather_recorded(op, x, map);
  }
  check_fits("pad3d", o.value, x.dtype());
  Shape s = x.shape();
  for (int k = 0; k < 3; ++k) s[k + 1] += int64_t(before[k]) + after[k];
  const Shape begin = {0, before.d, before.h, before.w, 0};
  return record(op, {x}, place_box(x, begin, s, o.value), [begin, inside = x.shape()](const Tensor& gy, Needs) {
    return Grads{take_box(gy, begin, inside)};
  });
}

}  // namespace voxgrad
