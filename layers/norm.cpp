#include "layers/norm.h"

#include "core/autograd.h"
#include "core/training.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d_batch_norm_act/conv3d_batch_norm_act.h"
#include "kernels/norm_act/norm_act.h"
#include "layers/init.h"

namespace voxgrad {
namespace {
template <class N>
void set_affine(N& n, const NormLayer& o, const char* who) {
  check(o.channels > 0, who, ": ", o.channels, " channels");
  n.eps = o.eps;
  if (!o.affine) return;
  n.weight = constant_parameter({o.channels}, 1);
  n.bias = constant_parameter({o.channels}, 0);
}
}  // namespace

InstanceNorm::InstanceNorm(const NormLayer& o) { set_affine(*this, o, "InstanceNorm"); }
Tensor InstanceNorm::operator()(const Tensor& x, const Tensor& skip, double slope, const Tensor& stats) const {
  return hooked(*this, instance_norm_act(x, weight, bias, skip, {.slope = slope, .eps = eps, .stats = stats}));
}

GroupNorm::GroupNorm(const NormLayer& o) : groups(o.groups) {
  set_affine(*this, o, "GroupNorm");
  check(groups > 0 && o.channels % groups == 0, "GroupNorm: ", groups, " groups do not divide ", o.channels, " channels");
}
Tensor GroupNorm::operator()(const Tensor& x, const Tensor& skip, double slope) const {
  return hooked(*this, group_norm_act(x, weight, bias, skip, {.groups = groups, .slope = slope, .eps = eps}));
}

BatchNorm::BatchNorm(const NormLayer& o) : momentum(o.momentum) {
  set_affine(*this, o, "BatchNorm");
  running_mean = Tensor::zeros({o.channels});
  running_var = Tensor::full({o.channels}, 1);
}
bool BatchNorm::uses_running() const {
  return mode.evaluating || mode.frozen || Inference::active() || Training::uses_running_statistics();
}
Tensor BatchNorm::operator()(const Tensor& x, const Tensor& skip, double slope) const {
  const bool training = !uses_running();
  const RunningStatistics running = training && Training::repeating() ? RunningStatistics{} : RunningStatistics{running_mean, running_var};
  const BatchNormActOptions options = {.slope = slope, .eps = eps, .momentum = momentum, .training = training};
  return hooked(*this, batch_norm_act(x, weight, bias, running, skip, options));
}
Tensor BatchNorm::behind(const Conv3d& conv, const Tensor& x, const Tensor& skip, double slope) const {
  if (ForwardHooks::active() || !uses_running()) return (*this)(conv(x), skip, slope);
  return conv3d_batch_norm_act(x, conv.weight, conv.bias, weight, bias, {running_mean, running_var}, skip,
                               {.conv = conv.options, .slope = slope, .eps = eps});
}

ChannelNorm::ChannelNorm(int channels) : weight(constant_parameter({channels}, 1)), bias(constant_parameter({channels}, 0)) {}
Tensor ChannelNorm::operator()(const Tensor& x) const { return hooked(*this, layer_norm(x, weight, bias, {.eps = eps})); }

Norm::Norm(NormKind k, const NormLayer& o) : kind(k) {
  switch (kind) {
    case NormKind::none: break;
    case NormKind::instance: instance.emplace(o); break;
    case NormKind::batch: batch.emplace(o); break;
    case NormKind::group: group.emplace(o); break;
  }
}
Tensor Norm::operator()(const Tensor& x, const Tensor& skip, double slope, const Tensor& stats) const {
  const auto of = [&](const auto& norm) { return hooked(*this, norm(x, skip, slope)); };
  if (instance) return hooked(*this, (*instance)(x, skip, slope, stats));
  if (batch) return of(*batch);
  if (group) return of(*group);
  const Tensor z = skip ? add(x, skip) : x;
  return hooked(*this, slope == 1 ? z : leaky_relu(z, slope));
}

}  // namespace voxgrad
