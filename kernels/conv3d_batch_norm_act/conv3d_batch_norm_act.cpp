#include "kernels/conv3d_batch_norm_act/conv3d_batch_norm_act.h"

#include "core/autograd.h"
#include "core/device/conv_backend.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/norm/norm_call.h"
#include "kernels/norm_act/norm_act.h"

namespace voxgrad {
namespace {

void ended_forward(Cpu on, const Conv3dProblem& p, const ConvPart& x, const Tensor& w, const ConvOutput& y) {
  conv3d_forward(on, p, &x, 1, w.view(), y, kept_weight(p, y.y.dtype, w));
}
[[maybe_unused]] void ended_forward(Cuda on, const Conv3dProblem& p, const ConvPart& x, const Tensor& w, const ConvOutput& y) {
  if constexpr (kCuda) conv3d_forward(on, p, &x, 1, w.view(), y);
}

// What is saved. y tells on which side of the activation its norm was; x and w as far as gradients of the other want them.
struct EndedConv {
  Conv3dProblem conv;
  NormProblem norm;
  Tensor x, w, scale, shift, stats, y;
};

// Inputs x, w, b, shift, skip.
Grads gradients_of(const EndedConv& e, const Tensor& gy, Needs needs) {
  Grads g(5);
  const bool of_sum = needs[0] || needs[1] || needs[2], in_place = gy.is_sole_owner() && !needs[4];
  const Tensor g_sum = !of_sum ? Tensor{} : in_place ? gy.detach() : Tensor::empty_like(gy);
  if (needs[3]) g[3] = Tensor::empty({e.conv.k}, accum_of(gy.dtype()), gy.device());
  if (needs[4]) g[4] = Tensor::empty_like(gy);
  on_device(gy.device(), [&](auto on) {
    // By constant statistics neither gradient depends on what was normalised, in whose place gy is read.
    norm_backward(on, e.norm, gy.view(), e.y.view(), gy.view(), e.stats.view(), e.scale.view(), e.shift.view(),
                  {g_sum.view(), {}, g[3].view(), g[4].view()});
  });
  if (needs[0]) g[0] = gradient_of_first_input(e.conv, g_sum, e.w);
  if (needs[1]) g[1] = gradient_of_weight(e.conv, e.x, g_sum);
  if (needs[2]) g[2] = gradient_of_bias(e.conv, g_sum);
  return g;
}

}  // namespace

Tensor conv3d_batch_norm_act(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale, const Tensor& shift,
                             const RunningStatistics& running, const Tensor& skip, const ConvBatchNormOptions& o) {
  const bool by_cudnn = x && !x.device().is_cpu() && ConvBackendScope::active() == ConvBackend::cudnn;
  if (!x || by_cudnn || x.count() == 0 || (scale && Graph::wanted({scale})))
    return batch_norm_act(conv3d(x, w, b, o.conv), scale, shift, running, skip, {.slope = o.slope, .eps = o.eps, .training = false});
  const Conv3dProblem p = conv3d_problem(x.shape(), x, w, b, o.conv);
  const Tensor y = Tensor::empty({p.n, p.out.d, p.out.h, p.out.w, p.k}, x.dtype(), x.device());
  const NormCall call = {.over = NormCall::Over::batch,
                         .problem = {.groups = 0, .eps = o.eps, .slope = o.slope, .constant_statistics = true},
                         .running = running};
  const NormProblem norm = norm_problem("conv3d_batch_norm_act", y, scale, shift, skip, call);
  const DType accum = accum_of(x.dtype());
  const Tensor stats = Tensor::empty({3, 1, p.k}, accum, x.device()), coefficients = Tensor::empty({1, 3, p.k}, accum, x.device());
  on_device(x.device(), [&](auto on) {
    norm_constant_statistics(on, norm, {running.mean.view(), running.variance.view()}, stats.view());
    norm_coefficients(on, norm, stats.view(), scale.view(), shift.view(), coefficients.view());
    ended_forward(on, p, {x.view(), p.c}, w, {y.view(), b.view(), coefficients.view(), skip.view(), o.slope});
  });
  if (!Graph::wanted({x, w, b, shift, skip})) return y;
  const bool activated = o.slope != 1;
  const EndedConv saved = {.conv = p,
                           .norm = norm,
                           .x = w.requires_grad() ? x.detach() : Tensor{},
                           .w = x.requires_grad() ? w.detach() : Tensor{},
                           .scale = scale.detach(),
                           .shift = shift.detach(),
                           .stats = stats,
                           .y = activated ? y.detach() : Tensor{}};
  Op op = {"conv3d_batch_norm_act", attributes_of(o.conv)};
  op.add("eps", o.eps);
  op.add("slope", o.slope);
  return record(op, {x, w, b, shift, skip}, y, [saved](const Tensor& gy, Needs needs) { return gradients_of(saved, gy, needs); });
}

}  // namespace voxgrad
