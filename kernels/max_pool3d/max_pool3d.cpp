#include "kernels/max_pool3d/max_pool3d.h"

#include "core/autograd.h"
#include "kernels/max_pool3d/max_pool3d_kernels.h"
#include "kernels/max_pool3d/pool_options.h"

namespace voxgrad {
namespace {

Tensor max_pool(const Op& op, const Tensor& x, const PoolAxes& axes) {
  MaxPool p{.n = x.dim(0), .c = x.dim(4), .axis = {axes.axis[0], axes.axis[1], axes.axis[2]}};
  const int64_t window = int64_t(p.axis[0].window()) * p.axis[1].window() * p.axis[2].window();
  check(window <= 1 << 16, op.name, ": a window of ", window, " voxels, at most ", 1 << 16, " are possible");
  Tensor y = Tensor::empty(pooled_shape(x.shape(), axes), x.dtype(), x.device()), winner;
  if (Graph::wanted({x})) winner = Tensor::empty(y.shape(), window <= 256 ? DType::u8 : DType::i16, x.device());
  on_device(x.device(), [&](auto on) { max_pool_forward(on, p, x.view(), y.view(), winner.view()); });
  return record(op, {x}, y, [p, winner, s = x.shape()](const Tensor& gy, Needs) {
    Tensor gx = Tensor::empty(s, gy.dtype(), gy.device());
    on_device(gy.device(), [&](auto on) { max_pool_backward(on, p, winner.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace

Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& o) {
  const PoolWindows windows = {o.kernel, o.stride, o.padding, o.dilation, o.ceil_mode};
  return max_pool({"max_pool3d", attributes_of(windows)}, x, pool_axes("max_pool3d", x, windows));
}
Tensor adaptive_max_pool3d(const Tensor& x, const Int3& out) {
  return max_pool({"adaptive_max_pool3d", {{"size", out}}}, x, adaptive_axes("adaptive_max_pool3d", x, out));
}

}  // namespace voxgrad
