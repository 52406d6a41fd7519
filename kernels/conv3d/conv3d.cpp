#include "kernels/conv3d/conv3d.h"

#include "core/autograd.h"
#include "core/device/conv_backend.h"
#include "core/device/exact_f32.h"
#include "core/gradients/given_gradient.h"
#include "kernels/conv3d/conv3d_problem.h"

namespace voxgrad {

Conv3dProblem conv3d_problem(const Shape& in, const Tensor& x, const Tensor& w, const Tensor& b, const Conv3dOptions& o) {
  check(x && is_floating(x.dtype()) && x.shape().rank == 5, "conv3d: floating activations {N, D, H, W, C} are wanted, not ", x);
  check(w && w.shape().rank == 5, "conv3d: a weight {K, T, R, S, C / groups} is wanted, not ", w);
  check(w.dtype() == accum_of(x.dtype()), "conv3d: beside ", x, " the weight is ", name_of(accum_of(x.dtype())), ", not ", w);
  Conv3dProblem p{.n = in[0],
                  .c = in[4],
                  .k = w.dim(0),
                  .groups = o.groups,
                  .in = in.spatial(),
                  .kernel = w.shape().spatial(),
                  .stride = o.stride,
                  .padding = o.padding,
                  .dilation = o.dilation,
                  .exact_f32 = ExactF32::active(),
                  .cudnn = ConvBackendScope::active() == ConvBackend::cudnn};
  check(o.groups >= 1 && p.c % o.groups == 0 && p.k % o.groups == 0, "conv3d: ", o.groups, " groups do not divide ", p.c, " channels into ",
        p.k);
  check(p.c >= 1 && p.k >= 1, "conv3d: ", x, " and the weight ", w, " need at least one channel each");
  check(w.dim(4) == p.c / o.groups, "conv3d: an input ", in, " in ", o.groups, " groups needs a weight of ", p.c / o.groups,
        " channels, not ", w);
  check(!b || (b.shape() == Shape{p.k} && b.dtype() == w.dtype()), "conv3d: the bias beside the weight ", w, " is ", name_of(w.dtype()),
        " {", p.k, "}, not ", b);
  check(w.device() == x.device() && (!b || b.device() == x.device()), "conv3d: x is on ", x.device(), ", the weight on ", w.device());
  for (int a = 0; a < 3; ++a) {
    check(o.stride[a] >= 1 && o.dilation[a] >= 1 && o.padding[a] >= 0, "conv3d: stride ", o.stride, ", dilation ", o.dilation, ", padding ",
          o.padding, ": strides and dilations are at least 1, paddings at least 0");
    const int64_t room = int64_t(p.in[a]) + 2 * int64_t(o.padding[a]), extent = int64_t(o.dilation[a]) * (p.kernel[a] - 1) + 1;
    check(p.kernel[a] >= 1 && extent <= room, "conv3d: a kernel of ", p.kernel, " with dilation ", o.dilation,
          " is larger than the input of ", p.in, " with padding ", o.padding);
    p.out[a] = int((room - extent) / o.stride[a] + 1);
  }
  return p;
}

std::vector<Attribute> attributes_of(const Conv3dOptions& o) {
  return {{"stride", o.stride}, {"padding", o.padding}, {"dilation", o.dilation}, {"groups", o.groups}};
}

std::shared_ptr<void>* kept_weight(const Conv3dProblem& p, DType x, const Tensor& w) {
  const Int3 &i = p.in, &a = p.padding, &s = p.stride, &d = p.dilation;
  return Inference::kept(w, {p.n, p.c, p.k, i.d, i.h, i.w, a.d, a.h, a.w, s.d, s.h, s.w, d.d, d.h, d.w, int64_t(x)});
}

WrittenStatistics written_statistics(const Conv3dProblem& p, const Tensor& y, ConvStatistics* wanted) {
  if (!wanted || !on_device(y.device(), [&](auto on) { return conv3d_takes_statistics(on, p, y.dtype()); })) return {};
  const int64_t groups = wanted->groups ? wanted->groups : p.k;
  check(groups > 0 && p.k % groups == 0, "conv3d: statistics of ", groups, " groups of ", p.k, " channels");
  const auto& [mean, variance] = wanted->running;
  const Shape one_each = {p.k};
  check(bool(mean) == bool(variance) && (!mean || (mean.shape() == one_each && variance.shape() == one_each)),
        "conv3d: running statistics of ", y, " are {", p.k, "}, both of them, not ", mean, " and ", variance);
  wanted->stats = Tensor::empty({3, wanted->of_batch ? 1 : p.n, groups}, accum_of(y.dtype()), y.device());
  mean.mark_written();
  variance.mark_written();
  return {wanted->stats.view(), wanted->eps, groups, wanted->of_batch, {mean.view(), variance.view(), wanted->momentum}};
}

Tensor given_gradient(const Conv3dProblem& p, Device d, size_t input) {
  return !d.is_cpu() && p.cudnn ? Tensor{} : take_given_gradient(input);
}

Tensor gradient_of_first_input(const Conv3dProblem& p, const Tensor& gy, const Tensor& w) {
  const Tensor given = given_gradient(p, gy.device(), 0);
  const bool in_place = given.is_sole_owner() && !given.device().is_cpu();
  const Tensor gx = in_place ? given : Tensor::empty({p.n, p.in.d, p.in.h, p.in.w, p.c}, gy.dtype(), gy.device());
  on_device(gy.device(), [&](auto on) {
    if constexpr (std::is_same_v<decltype(on), Cuda>) conv3d_input_gradient(on, p, gy.view(), w.view(), {}, gx.view(), {}, given.view());
    else conv3d_input_gradient(on, p, gy.view(), w.view(), {}, gx.view(), given.view());
  });
  return gx;
}

Tensor gradient_of_weight(const Conv3dProblem& p, const Tensor& x, const Tensor& gy) {
  const Tensor gw = Tensor::empty({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, accum_of(gy.dtype()), gy.device());
  on_device(gy.device(), [&](auto on) { conv3d_weight_gradient(on, p, x.view(), gy.view(), gw.view()); });
  return gw;
}
Tensor gradient_of_bias(const Conv3dProblem& p, const Tensor& gy) {
  const Tensor gb = Tensor::empty({p.k}, accum_of(gy.dtype()), gy.device());
  on_device(gy.device(), [&](auto on) { conv3d_bias_gradient(on, p.out_voxels(), p.k, gy.view(), gb.view()); });
  return gb;
}

Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv3dOptions& options, ConvStatistics* of_y) {
  const Conv3dProblem p = conv3d_problem(x.shape(), x, w, b, options);
  Tensor y = Tensor::empty({p.n, p.out.d, p.out.h, p.out.w, p.k}, x.dtype(), x.device());
  if (x.device().is_cpu()) {
    const ConvPart whole{x.view(), p.c};
    conv3d_forward(Cpu{}, p, &whole, 1, w.view(), {y.view(), b.view()}, kept_weight(p, x.dtype(), w));
  } else {
    const WrittenStatistics written = written_statistics(p, y, of_y);
    on_device(x.device(), [&](auto on) {
      if constexpr (std::is_same_v<decltype(on), Cuda>) conv3d_forward(on, p, x.view(), w.view(), b.view(), y.view(), written);
    });
  }
  const Tensor saved_x = w.requires_grad() ? x.detach() : Tensor{}, saved_w = x.requires_grad() ? w.detach() : Tensor{};
  return record({"conv3d", attributes_of(options)}, {x, w, b}, y, [p, saved_x, saved_w](const Tensor& gy, Needs needs) {
    Grads g(3);
    if (needs[0]) g[0] = gradient_of_first_input(p, gy, saved_w);
    if (needs[1]) g[1] = gradient_of_weight(p, saved_x, gy);
    if (needs[2]) g[2] = gradient_of_bias(p, gy);
    return g;
  });
}

}  // namespace voxgrad
