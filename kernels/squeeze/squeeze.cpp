#include "kernels/squeeze/squeeze.h"

#include "kernels/copy/copy.h"

namespace voxgrad {

Tensor squeeze(const Tensor& x, const std::vector<int>& axes) {
  check(bool(x), "squeeze: a tensor is wanted, not ", x);
  bool gone[Shape::kMaxRank] = {};
  for (int axis : axes) {
    const int k = axis_of("squeeze", x.shape(), axis);
    check(x.dim(k) == 1, "squeeze: axis ", axis, " of ", x, " has the extent ", x.dim(k), ", 1 is wanted");
    check(!gone[k], "squeeze: axis ", axis, " of ", x, " is named twice");
    gone[k] = true;
  }
  Shape s;
  for (int k = 0; k < x.shape().rank; ++k)
    if (!gone[k]) s.dims[s.rank++] = x.dim(k);
  return x.reshape(s);
}

Tensor squeeze(const Tensor& x) {
  std::vector<int> axes;
  for (int k = 0; k < x.shape().rank; ++k)
    if (x.dim(k) == 1) axes.push_back(k);
  return squeeze(x, axes);
}

Tensor unsqueeze(const Tensor& x, int axis) {
  check(x && x.shape().rank < Shape::kMaxRank, "unsqueeze: a tensor of fewer than ", Shape::kMaxRank, " axes is wanted, not ", x);
  const int rank = x.shape().rank + 1;
  check(axis >= -rank && axis < rank, "unsqueeze: axis ", axis, " of a result of ", rank, " axes does not exist");
  const int at = axis < 0 ? axis + rank : axis;
  Shape s;
  for (int k = 0; k < rank; ++k) s.dims[s.rank++] = k == at ? 1 : x.dim(k < at ? k : k - 1);
  return x.reshape(s);
}

Tensor flatten(const Tensor& x, int first, int last) {
  check(bool(x), "flatten: a tensor is wanted, not ", x);
  if (x.shape().rank == 0) return x.reshape({1});
  const int begin = axis_of("flatten", x.shape(), first), end = axis_of("flatten", x.shape(), last) + 1;
  check(begin < end, "flatten: axes ", first, " to ", last, " of ", x, " are in the wrong order");
  Shape s;
  for (int k = 0; k < begin; ++k) s.dims[s.rank++] = x.dim(k);
  s.dims[s.rank++] = x.shape().count(begin, end);
  for (int k = end; k < x.shape().rank; ++k) s.dims[s.rank++] = x.dim(k);
  return x.reshape(s);
}

}  // namespace voxgrad
