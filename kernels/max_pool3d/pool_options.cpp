#include "kernels/max_pool3d/pool_options.h"

namespace voxgrad {
namespace {
void check_input(const char* op, const Tensor& x) {
  check(x && x.shape().rank == 5 && is_floating(x.dtype()), op, ": a floating {N, D, H, W, C} is wanted, not ", x);
  check(x.dim(1) > 0 && x.dim(2) > 0 && x.dim(3) > 0, op, ": ", x, " has no voxels");
}
}  // namespace

std::vector<Attribute> attributes_of(const PoolWindows& o) {
  Int3 stride = o.stride;
  for (int k = 0; k < 3; ++k)
    if (stride[k] == 0) stride[k] = o.kernel[k];
  return {{"kernel", o.kernel}, {"stride", stride}, {"padding", o.padding}, {"dilation", o.dilation}, {"ceil_mode", o.ceil_mode}};
}

PoolAxes pool_axes(const char* op, const Tensor& x, const PoolWindows& o) {
  check_input(op, x);
  PoolAxes axes;
  for (int k = 0; k < 3; ++k) {
    check(o.kernel[k] > 0 && o.stride[k] >= 0 && o.dilation[k] > 0, op, ": kernel ", o.kernel, ", stride ", o.stride, " and dilation ",
          o.dilation, " are wanted to be positive");
    check(o.padding[k] >= 0 && 2 * o.padding[k] <= o.kernel[k], op, ": padding ", o.padding, " is not within 0 and half the kernel ",
          o.kernel);
    PoolAxis& a = axes.axis[k];
    a.in = int(x.dim(k + 1)), a.kernel = o.kernel[k], a.padding = o.padding[k], a.dilation = o.dilation[k];
    a.stride = o.stride[k] ? o.stride[k] : o.kernel[k];
    const int64_t room = int64_t(a.in) + 2 * a.padding - int64_t(a.dilation) * (a.kernel - 1) - 1;
    check(room >= 0, op, ": the window of kernel ", o.kernel, " and dilation ", o.dilation, " is larger than ", x, " with padding ",
          o.padding);
    a.out = int((room + (o.ceil_mode ? a.stride - 1 : 0)) / a.stride) + 1;
    if (o.ceil_mode && int64_t(a.out - 1) * a.stride >= int64_t(a.in) + a.padding) --a.out;
  }
  return axes;
}

PoolAxes adaptive_axes(const char* op, const Tensor& x, const Int3& out) {
  check_input(op, x);
  PoolAxes axes;
  for (int k = 0; k < 3; ++k) {
    check(out[k] > 0, op, ": the size ", out, " is not positive");
    axes.axis[k] = {.in = int(x.dim(k + 1)), .out = out[k], .adaptive = true};
  }
  return axes;
}

Shape pooled_shape(const Shape& x, const PoolAxes& p) { return {x[0], p.axis[0].out, p.axis[1].out, p.axis[2].out, x[4]}; }

}  // namespace voxgrad
