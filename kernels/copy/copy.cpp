#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {
void dense_strides(const Shape& s, int64_t* stride) {
  int64_t step = 1;
  for (int k = s.rank - 1; k >= 0; --k) stride[k] = step, step *= s[k];
}
}  // namespace

StridedCopy dense_copy(const Shape& extent, const Shape& from, const Shape& into) {
  StridedCopy p;
  p.rank = extent.rank;
  for (int k = 0; k < extent.rank; ++k) p.extent[k] = extent[k];
  dense_strides(from, p.from_stride);
  dense_strides(into, p.into_stride);
  return p;
}

Tensor take_box(const Tensor& x, const Shape& begin, const Shape& size) {
  Tensor y = Tensor::empty(size, x.dtype(), x.device());
  StridedCopy p = dense_copy(size, x.shape(), size);
  for (int k = 0; k < size.rank; ++k) p.from_offset += begin[k] * p.from_stride[k];
  on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  return y;
}

Tensor place_box(const Tensor& x, const Shape& begin, const Shape& extent, double value) {
  Tensor y = Tensor::empty(extent, x.dtype(), x.device());
  const Tensor filler = Tensor::scalar(value, x.dtype(), x.device());
  PlacedBox p;
  p.rank = extent.rank;
  for (int k = 0; k < extent.rank; ++k) p.extent[k] = extent[k], p.begin[k] = begin[k], p.size[k] = x.dim(k);
  on_device(x.device(), [&](auto on) { place_box(on, p, filler.view(), x.view(), y.view()); });
  return y;
}

int axis_of(const char* op, const Shape& shape, int axis) {
  check(axis >= -shape.rank && axis < shape.rank, op, ": axis ", axis, " of the shape ", shape, " does not exist");
  return axis < 0 ? axis + shape.rank : axis;
}

}  // namespace voxgrad
