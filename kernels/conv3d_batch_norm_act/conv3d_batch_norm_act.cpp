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

}  // namespace

Tensor conv3d_batch_norm_act(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale, const Tensor& shift,
                             const RunningStatistics& running, const Tensor& skip, const ConvBatchNormOptions& o) {
  const bool by_cudnn = x && !x.device().is_cpu() && ConvBackendScope::active() == ConvBackend::cudnn;
  if (!x || by_cudnn || x.count() == 0 || Graph::wanted({x, w, b, scale, shift, skip}))
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
  return y;
}

}  // namespace voxgrad
