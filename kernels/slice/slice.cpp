#include "kernels/slice/slice.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {
Tensor box_of(const char* op, const Tensor& x, const Shape& begin, const Shape& size) {
  return record({op, {{"begin", begin}, {"shape", size}}}, {x}, take_box(x, begin, size),
                [begin, extent = x.shape()](const Tensor& gy, Needs) { return Grads{place_box(gy, begin, extent, 0)}; });
}
}  // namespace

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  check(bool(x), "slice: a tensor is wanted, not ", x);
  const int k = axis_of("slice", x.shape(), axis);
  check(0 <= begin && begin <= end && end <= x.dim(k), "slice: [", begin, ", ", end, ") of axis ", axis, " of ", x);
  Shape first = x.shape();
  for (int i = 0; i < first.rank; ++i) first[i] = 0;
  return box_of("slice", x, first.with(k, begin), x.shape().with(k, end - begin));
}

Tensor crop3d(const Tensor& x, const Int3& begin, const Int3& size) {
  check(x && x.shape().rank == 5, "crop3d: {N, D, H, W, C} is wanted, not ", x);
  const Shape extent = {x.dim(0), size.d, size.h, size.w, x.dim(4)};
  for (int k = 0; k < 3; ++k)
    check(begin[k] >= 0 && size[k] >= 0 && int64_t(begin[k]) + size[k] <= x.dim(k + 1), "crop3d: the box ", size, " from ", begin,
          " is not inside of ", x);
  return box_of("crop3d", x, {0, begin.d, begin.h, begin.w, 0}, extent);
}

}  // namespace voxgrad
