#include "kernels/conv_transpose3d/conv_transpose3d.h"

#include <algorithm>
#include <limits>

#include "core/autograd.h"
#include "core/device/conv_backend.h"
#include "core/device/exact_f32.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {
namespace {

// The convolution y -> x whose adjoint is wanted.
Conv3dProblem adjoint_of(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose3dOptions& o) {
  const char* me = "conv_transpose3d: ";
  check(x && is_floating(x.dtype()) && x.shape().rank == 5, me, "floating activations {N, D, H, W, C} are wanted, not ", x);
  check(w && w.shape().rank == 5, me, "a weight {C, T, R, S, K / groups} is wanted, not ", w);
  check(w.dtype() == accum_of(x.dtype()), me, "beside ", x, " the weight is ", name_of(accum_of(x.dtype())), ", not ", w);
  check(w.dim(0) == x.dim(4), me, x, " needs a weight of ", x.dim(4), " channels on its first axis, not ", w);
  check(o.groups >= 1 && x.dim(4) % o.groups == 0, me, o.groups, " groups do not divide ", x.dim(4), " channels");
  Conv3dProblem p{.n = x.dim(0),
                  .c = w.dim(4) * o.groups,
                  .k = x.dim(4),
                  .groups = o.groups,
                  .out = x.shape().spatial(),
                  .kernel = w.shape().spatial(),
                  .stride = o.stride,
                  .padding = o.padding,
                  .dilation = o.dilation,
                  .exact_f32 = ExactF32::active(),
                  .cudnn = ConvBackendScope::active() == ConvBackend::cudnn};
  check(p.c >= 1 && p.k >= 1, me, x, " and the weight ", w, " need at least one channel each");
  check(!b || (b.shape() == Shape{p.c} && b.dtype() == w.dtype()), me, "the bias beside the weight ", w, " is ", name_of(w.dtype()), " {",
        p.c, "}, not ", b);
  check(w.device() == x.device() && (!b || b.device() == x.device()), me, "x is on ", x.device(), ", the weight on ", w.device());
  for (int a = 0; a < 3; ++a) {
    check(o.stride[a] >= 1 && o.dilation[a] >= 1 && o.padding[a] >= 0 && p.kernel[a] >= 1, me, "stride ", o.stride, ", dilation ",
          o.dilation, ", padding ", o.padding, ", kernel ", p.kernel,
          ": strides, dilations and kernels are at least 1, paddings at least 0");
    check(o.output_padding[a] >= 0 && o.output_padding[a] < std::max(o.stride[a], o.dilation[a]), me, "output padding ", o.output_padding,
          " is not below the larger of stride ", o.stride, " and dilation ", o.dilation);
    const int64_t extent = (int64_t(p.out[a]) - 1) * o.stride[a] - 2 * int64_t(o.padding[a]) + int64_t(o.dilation[a]) * (p.kernel[a] - 1) +
                           o.output_padding[a] + 1;
    check(extent >= 1 && extent <= std::numeric_limits<int>::max(), me, "padding ", o.padding, " leaves an output extent of ", extent,
          " on axis ", a);
    p.in[a] = int(extent);
  }
  return p;
}

}  // namespace

Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose3dOptions& options) {
  const Conv3dProblem p = adjoint_of(x, w, b, options);
  Tensor y = Tensor::empty({p.n, p.in.d, p.in.h, p.in.w, p.c}, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { conv3d_input_gradient(on, p, x.view(), w.view(), b.view(), y.view()); });
  const Tensor saved_x = w.requires_grad() ? x.detach() : Tensor{}, saved_w = x.requires_grad() ? w.detach() : Tensor{};
  const Op op = {"conv_transpose3d",
                 {{"stride", options.stride},
                  {"padding", options.padding},
                  {"output_padding", options.output_padding},
                  {"dilation", options.dilation},
                  {"groups", options.groups}}};
  return record(op, {x, w, b}, y, [p, saved_x, saved_w](const Tensor& gy, Needs needs) {
    Grads g(3);
    const DType parameters = accum_of(gy.dtype());
    on_device(gy.device(), [&](auto on) {
      if (needs[0]) {
        g[0] = Tensor::empty({p.n, p.out.d, p.out.h, p.out.w, p.k}, gy.dtype(), gy.device());
        conv3d_forward(on, p, gy.view(), saved_w.view(), {}, g[0].view());
      }
      if (needs[1]) {
        g[1] = Tensor::empty({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, parameters, gy.device());
        conv3d_weight_gradient(on, p, gy.view(), saved_x.view(), g[1].view());
      }
      if (needs[2]) {
        g[2] = Tensor::empty({p.c}, parameters, gy.device());
        conv3d_bias_gradient(on, p.in_voxels(), p.c, gy.view(), g[2].view());
      }
    });
    return g;
  });
}

}  // namespace voxgrad
