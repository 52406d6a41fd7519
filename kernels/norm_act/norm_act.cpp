#include "kernels/norm_act/norm_act.h"

#include "kernels/norm/norm_call.h"

namespace voxgrad {

Tensor instance_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, const NormActOptions& o) {
  return norm_call("instance_norm_act", x, scale, shift, skip,
                   {.problem = {.groups = 0, .eps = o.eps, .slope = o.slope}, .stats = o.stats});
}
Tensor group_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, const GroupNormActOptions& o) {
  check(o.groups > 0, "group_norm_act: ", o.groups, " groups");
  return norm_call("group_norm_act", x, scale, shift, skip,
                   {.problem = {.groups = o.groups, .eps = o.eps, .slope = o.slope}, .stats = o.stats});
}
Tensor batch_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const RunningStatistics& running, const Tensor& skip,
                      const BatchNormActOptions& o) {
  return norm_call("batch_norm_act", x, scale, shift, skip,
                   {.over = NormCall::Over::batch,
                    .problem = {.groups = 0, .eps = o.eps, .slope = o.slope, .constant_statistics = !o.training},
                    .running = running,
                    .momentum = o.momentum,
                    .stats = o.stats});
}

}  // namespace voxgrad
