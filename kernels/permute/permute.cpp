#include "kernels/permute/permute.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {
Tensor permuted(const Tensor& x, const std::vector<int>& axes) {
  Shape s = x.shape();
  for (int k = 0; k < s.rank; ++k) s[k] = x.dim(axes[size_t(k)]);
  Tensor y = Tensor::empty(s, x.dtype(), x.device());
  const StridedCopy dense = dense_copy(s, x.shape(), s);
  StridedCopy p = dense;
  for (int k = 0; k < s.rank; ++k) p.from_stride[k] = dense.from_stride[axes[size_t(k)]];
  on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  return y;
}
}  // namespace

Tensor permute(const Tensor& x, const std::vector<int>& axes) {
  check(x && int(axes.size()) == x.shape().rank, "permute: ", axes.size(), " axes are named for ", x);
  std::vector<int> from(axes.size()), inverse(axes.size(), -1);
  for (int k = 0; k < int(axes.size()); ++k) {
    from[size_t(k)] = axis_of("permute", x.shape(), axes[size_t(k)]);
    int& place = inverse[size_t(from[size_t(k)])];
    check(place < 0, "permute: axis ", axes[size_t(k)], " of ", x, " is named twice");
    place = k;
  }
  return record({"permute", {{"axes", from}}}, {x}, permuted(x, from),
                [inverse](const Tensor& gy, Needs) { return Grads{permuted(gy, inverse)}; });
}

}  // namespace voxgrad
