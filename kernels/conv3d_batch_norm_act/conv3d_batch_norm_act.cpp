#include "kernels/conv3d_batch_norm_act/conv3d_batch_norm_act.h"

#include "core/autograd.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/norm/norm_call.h"
#include "kernels/norm_act/norm_act.h"

namespace voxgrad {

Tensor conv3d_batch_norm_act(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale, const Tensor& shift,
                             const RunningStatistics& running, const Tensor& skip, const ConvBatchNormOptions& o) {
  if (!x || !x.device().is_cpu() || x.count() == 0 || Graph::wanted({x, w, b, scale, shift, skip}))
    return batch_norm_act(conv3d(x, w, b, o.conv), scale, shift, running, skip, {.slope = o.slope, .eps = o.eps, .training = false});
  const Conv3dProblem p = conv3d_problem(x.shape(), x, w, b, o.conv);
  const Tensor y = Tensor::empty({p.n, p.out.d, p.out.h, p.out.w, p.k}, x.dtype());
  const NormCall call = {.over = NormCall::Over::batch,
                         .problem = {.groups = 0, .eps = o.eps, .slope = o.slope, .constant_statistics = true},
                         .running = running};
  const NormProblem norm = norm_problem("conv3d_batch_norm_act", y, scale, shift, skip, call);
  const DType accum = accum_of(x.dtype());
  const Tensor stats = Tensor::empty({3, 1, p.k}, accum), coefficients = Tensor::empty({1, 3, p.k}, accum);
  norm_constant_statistics(Cpu{}, norm, {running.mean.view(), running.variance.view()}, stats.view());
  norm_coefficients(Cpu{}, norm, stats.view(), scale.view(), shift.view(), coefficients.view());
  const ConvPart whole = {x.view(), p.c};
  conv3d_forward(Cpu{}, p, &whole, 1, w.view(), {y.view(), b.view(), coefficients.view(), skip.view(), o.slope},
                 kept_weight(p, x.dtype(), w));
  return y;
}

}  // namespace voxgrad
