#include "kernels/norm/norm.h"

#include "core/autograd.h"
#include "kernels/norm/norm_call.h"

namespace voxgrad {
namespace {

Op described(const char* name, const NormCall& call) {
  Op op = {name, {{"eps", call.problem.eps}}};
  if (call.over == NormCall::Over::sample && call.problem.groups > 0) op.add("groups", call.problem.groups);
  if (call.over == NormCall::Over::batch) {
    op.add("training", !call.problem.constant_statistics);
    op.add("momentum", call.momentum);
  }
  if (call.problem.slope != 1) op.add("slope", call.problem.slope);
  return op;
}

}  // namespace

NormProblem norm_problem(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip,
                         const NormCall& call) {
  check(x && is_floating(x.dtype()) && x.shape().rank >= 2 && x.count() > 0, op,
        ": a floating tensor {N, .., C} with elements is wanted, not ", x);
  const int64_t channels = x.dim(-1), samples = x.dim(0), rest = x.count() / (channels * samples);
  const DType accum = accum_of(x.dtype());
  const auto check_vector = [&](const char* what, const Tensor& v) {
    check(!v || (v.shape() == Shape{channels} && v.dtype() == accum), op, ": the ", what, " is ", v, ", wanted beside ", x, " is ",
          name_of(accum), " {", channels, "}");
  };
  check_vector("scale", scale);
  check_vector("shift", shift);
  check_vector("running mean", call.running.mean);
  check_vector("running variance", call.running.variance);
  check(bool(call.running.mean) == bool(call.running.variance), op, ": of running mean and variance only one is present");
  check(!skip || (skip.shape() == x.shape() && skip.dtype() == x.dtype()), op, ": the skip is ", skip, " beside ", x);
  NormProblem p = call.problem;
  check(p.eps >= 0 && p.slope >= 0, op, ": eps ", p.eps, " and slope ", p.slope, " must not be negative");
  p.channels = channels;
  switch (call.over) {
    case NormCall::Over::sample: p.samples = samples, p.voxels = rest; break;
    case NormCall::Over::batch: p.samples = 1, p.voxels = samples * rest; break;
    case NormCall::Over::voxel: p.samples = samples * rest, p.voxels = 1; break;
  }
  if (p.groups == 0) p.groups = int64_t(channels);
  check(p.groups > 0 && channels % p.groups == 0, op, ": ", p.groups, " groups do not divide ", channels, " channels");
  check(!p.constant_statistics || call.running.mean || call.stats, op, ": without training, running statistics are wanted");
  return p;
}

Tensor norm_call(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, NormCall call) {
  const NormProblem p = norm_problem(op, x, scale, shift, skip, call);
  const DType accum = accum_of(x.dtype());
  const Shape wanted = {3, p.samples, p.groups};
  check(!call.stats || (call.stats.shape() == wanted && call.stats.dtype() == accum), op, ": the statistics are ", call.stats,
        ", wanted beside ", x, " are ", name_of(accum), " ", wanted);
  check(!call.stats || !p.constant_statistics || !call.running.mean, op, ": statistics of ", x, " beside running ones that are to be used");
  const Tensor stats = call.stats ? call.stats.detach() : Tensor::empty(wanted, accum, x.device());
  Tensor y = Tensor::empty_like(x);
  const NormRunning running = {call.running.mean.view(), call.running.variance.view(), call.momentum};
  on_device(x.device(), [&](auto on) {
    if (!call.stats && p.constant_statistics) norm_constant_statistics(on, p, running, stats.view());
    else if (!call.stats) norm_statistics(on, p, x.view(), stats.view(), running);
    norm_apply(on, p, x.view(), stats.view(), scale.view(), shift.view(), skip.view(), y.view());
  });
  const Tensor saved_y = skip ? y.detach() : Tensor{};
  if (!p.constant_statistics && !call.stats) {
    call.running.mean.mark_written();
    call.running.variance.mark_written();
  }
  return record(described(op, call), {x, scale, shift, skip}, y,
                [p, stats, saved_y, x = x.detach(), scale = scale.detach(), shift = shift.detach()](const Tensor& gy, Needs needs) {
                  const auto made = [&](int i, const Tensor& like) { return needs[i] ? Tensor::empty_like(like) : Tensor{}; };
                  // The gradient may take the memory of gy, element by element, where nobody else holds it.
                  const bool in_place = gy.is_sole_owner() && needs[0] && !needs[3];
                  Tensor gx = in_place ? gy.detach() : made(0, x), gscale = made(1, scale), gshift = made(2, shift), gskip = made(3, x);
                  on_device(x.device(), [&](auto on) {
                    norm_backward(on, p, x.view(), saved_y.view(), gy.view(), stats.view(), scale.view(), shift.view(),
                                  {gx.view(), gscale.view(), gshift.view(), gskip.view()});
                  });
                  return Grads{gx, gscale, gshift, gskip};
                });
}

Tensor instance_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const NormOptions& o) {
  return norm_call("instance_norm", x, scale, shift, {}, {.problem = {.groups = 0, .eps = o.eps}});
}
Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const GroupNormOptions& o) {
  check(o.groups > 0, "group_norm: ", o.groups, " groups");
  return norm_call("group_norm", x, scale, shift, {}, {.problem = {.groups = o.groups, .eps = o.eps}});
}
Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const NormOptions& o) {
  return norm_call("layer_norm", x, scale, shift, {}, {.over = NormCall::Over::voxel, .problem = {.groups = 1, .eps = o.eps}});
}
Tensor batch_statistics(const Tensor& x, const RunningStatistics& running, const BatchNormOptions& o) {
  const NormCall call = {.over = NormCall::Over::batch, .problem = {.groups = 0, .eps = o.eps}, .running = running};
  const NormProblem p = norm_problem("batch_statistics", x, {}, {}, {}, call);
  const Tensor stats = Tensor::empty({3, 1, p.channels}, accum_of(x.dtype()), x.device());
  on_device(x.device(), [&](auto on) {
    norm_statistics(on, p, x.view(), stats.view(), {running.mean.view(), running.variance.view(), o.momentum});
  });
  running.mean.mark_written();
  running.variance.mark_written();
  return stats;
}
Tensor constant_statistics(const RunningStatistics& running, double eps) {
  const auto& [mean, variance] = running;
  check(mean && variance && mean.shape().rank == 1 && mean.shape() == variance.shape(),
        "constant_statistics: mean and variance {C} are wanted,"
        " not ",
        mean, " and ", variance);
  const NormProblem p = {.channels = mean.count(), .groups = mean.count(), .eps = eps, .constant_statistics = true};
  const Tensor stats = Tensor::empty({3, 1, p.channels}, mean.dtype(), mean.device());
  on_device(mean.device(), [&](auto on) { norm_constant_statistics(on, p, {mean.view(), variance.view()}, stats.view()); });
  return stats;
}
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const RunningStatistics& running, const BatchNormOptions& o) {
  return norm_call("batch_norm", x, scale, shift, {},
                   {.over = NormCall::Over::batch,
                    .problem = {.groups = 0, .eps = o.eps, .constant_statistics = !o.training},
                    .running = running,
                    .momentum = o.momentum});
}

}  // namespace voxgrad
