#include "kernels/roll/roll.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {

// shift[k] in [0, extent of axis k), of every axis. Boxes of x, cut where it wraps, go to their places.
Tensor rolled(const Tensor& x, const Shape& shift) {
  const Shape& s = x.shape();
  const Tensor y = Tensor::empty_like(x);
  for (int wraps = 0; wraps < 1 << s.rank; ++wraps) {
    Shape box = s;
    StridedCopy p = dense_copy(s, s, s);
    bool empty = false;
    for (int k = 0; k < s.rank; ++k) {
      const bool wrapped = wraps >> k & 1;
      box[k] = wrapped ? shift[k] : s[k] - shift[k];
      empty = empty || box[k] == 0;
      p.extent[k] = box[k];
      (wrapped ? p.from_offset : p.into_offset) += p.from_stride[k] * (wrapped ? s[k] - shift[k] : shift[k]);
    }
    if (!empty) on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  }
  return y;
}

}  // namespace

Tensor roll(const Tensor& x, const std::vector<int64_t>& shifts, const std::vector<int>& axes) {
  check(x && shifts.size() == axes.size(), "roll: ", shifts.size(), " shifts for ", axes.size(), " axes of ", x);
  Shape shift = x.shape();
  std::fill_n(shift.dims, shift.rank, 0);
  Shape back = shift, named = shift;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int k = axis_of("roll", x.shape(), axes[i]);
    check(named[k]++ == 0, "roll: axis ", axes[i], " of ", x, " is named twice");
    const int64_t n = std::max<int64_t>(1, x.dim(k));
    shift[k] = (shifts[i] % n + n) % n;
    back[k] = (n - shift[k]) % n;
  }
  return record({"roll", {{"shifts", shift}}}, {x}, rolled(x, shift), [back](const Tensor& gy, Needs) { return Grads{rolled(gy, back)}; });
}

}  // namespace voxgrad
