#include "kernels/strided_slice/strided_slice.h"

#include <string>

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {

std::string text_of(const AxisSlice& s) {
  return (s.begin ? std::to_string(*s.begin) : "") + ":" + (s.end ? std::to_string(*s.end) : "") + ":" + std::to_string(s.step);
}

// First place and number of places.
struct Places {
  int64_t first, count;
};
Places places_of(const AxisSlice& s, int64_t extent, const Tensor& x) {
  const bool forward = s.step > 0;
  const auto counted = [&](int64_t i) { return i < 0 ? i + extent : i; };
  const int64_t begin = s.begin ? counted(*s.begin) : forward ? 0 : extent - 1;
  const int64_t end = s.end ? counted(*s.end) : forward ? extent : -1;
  const int64_t low = forward ? 0 : -1, high = forward ? extent : extent - 1;
  check(s.step != 0 && begin >= low && begin <= high && end >= low && end <= high, "slice: ", text_of(s), " of axis ", s.axis, " of ", x,
        ": places within the axis and a step that is not 0 are wanted");
  const int64_t length = forward ? end - begin : begin - end, step = forward ? s.step : -s.step;
  return {begin, length > 0 ? (length + step - 1) / step : 0};
}

}  // namespace

Tensor slice(const Tensor& x, const std::vector<AxisSlice>& slices) {
  check(bool(x), "slice: a tensor is wanted, not ", x);
  Shape size = x.shape();
  int64_t first[Shape::kMaxRank] = {}, step[Shape::kMaxRank];
  std::fill_n(step, Shape::kMaxRank, 1);
  bool named[Shape::kMaxRank] = {};
  for (const AxisSlice& s : slices) {
    const int k = axis_of("slice", x.shape(), s.axis);
    check(!named[k], "slice: axis ", s.axis, " of ", x, " is named twice");
    named[k] = true;
    const Places p = places_of(s, x.dim(k), x);
    first[k] = p.first;
    size[k] = p.count;
    step[k] = s.step;
  }
  StridedCopy p = dense_copy(size, x.shape(), size);
  for (int k = 0; k < size.rank; ++k) {
    p.from_offset += first[k] * p.from_stride[k];
    p.from_stride[k] *= step[k];
  }
  const Tensor y = Tensor::empty(size, x.dtype(), x.device());
  if (y.count() > 0) on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  const std::vector<int64_t> begins(first, first + size.rank), steps(step, step + size.rank);
  return record({"slice", {{"begin", begins}, {"step", steps}, {"shape", size}}}, {x}, y, [p, shape = x.shape()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::zeros(shape, gy.dtype(), gy.device());
    StridedCopy back = p;
    std::swap(back.from_stride, back.into_stride);
    std::swap(back.from_offset, back.into_offset);
    if (gy.count() > 0) on_device(gy.device(), [&](auto on) { strided_copy(on, back, gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace voxgrad
