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
Tensor GroupNorm::operator()(const Tensor& x, const Tensor& skip, double slope, const Tensor& stats) const {
  return hooked(*this, group_norm_act(x, weight, bias, skip, {.groups = groups, .slope = slope, .eps = eps, .stats = stats}));
}

BatchNorm::BatchNorm(const NormLayer& o) : momentum(o.momentum) {
  set_affine(*this, o, "BatchNorm");
  running_mean = Tensor::zeros({o.channels});
  running_var = Tensor::full({o.channels}, 1);
}
bool BatchNorm::uses_running() const {
  return mode.evaluating || mode.frozen || Inference::active() || Training::uses_running_statistics();
}
RunningStatistics BatchNorm::moved() const {
  return Training::repeating() ? RunningStatistics{} : RunningStatistics{running_mean, running_var};
}
Tensor BatchNorm::operator()(const Tensor& x, const Tensor& skip, double slope, const Tensor& stats) const {
  const bool training = !uses_running();
  const RunningStatistics running = training ? moved() : RunningStatistics{running_mean, running_var};
  const BatchNormActOptions options = {.slope = slope, .eps = eps, .momentum = momentum, .training = training, .stats = stats};
  return hooked(*this, batch_norm_act(x, weight, bias, running, skip, options));
}
ConvSource BatchNorm::lazily(const Tensor& x, double slope, const Tensor& stats) const {
  const bool running = uses_running();
  if (ForwardHooks::active() || (running && !Graph::wanted({x, weight, bias}))) return {(*this)(x, {}, slope, stats)};
  ConvSource z = {.x = x, .normalised = true, .scale = weight, .shift = bias, .slope = slope, .eps = eps, .stats = stats, .of_batch = true};
  z.constant = running;
  if (running) z.stats = constant_statistics({running_mean, running_var}, eps);
  else if (!stats) z.stats = batch_statistics(x, moved(), {.eps = eps, .momentum = momentum});
  return z;
}
Tensor BatchNorm::behind(const Conv3d& conv, const ConvSource& x, const Tensor& skip, double slope) const {
  if (!x.normalised && !ForwardHooks::active() && uses_running())
    return conv3d_batch_norm_act(x.x, conv.weight, conv.bias, weight, bias, {running_mean, running_var}, skip,
                                 {.conv = conv.options, .slope = slope, .eps = eps});
  StatisticsFor of_y(*this);
  const Tensor y = conv(x, of_y.wanted());
  return (*this)(y, skip, slope, of_y.stats);
}
ConvSource BatchNorm::lazily_behind(const Conv3d& conv, const ConvSource& x, double slope) const {
  if (uses_running() && !x.normalised && !Graph::wanted({weight})) return {behind(conv, x, {}, slope)};
  StatisticsFor of_y(*this);
  const Tensor y = conv(x, of_y.wanted());
  return lazily(y, slope, of_y.stats);
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
  if (instance) return hooked(*this, (*instance)(x, skip, slope, stats));
  if (group) return hooked(*this, (*group)(x, skip, slope, stats));
  if (batch) return hooked(*this, (*batch)(x, skip, slope, stats));
  const Tensor z = skip ? add(x, skip) : x;
  return hooked(*this, slope == 1 ? z : leaky_relu(z, slope));
}
ConvSource Norm::lazily(const Tensor& x, double slope, const Tensor& stats) const {
  if (batch && !ForwardHooks::active()) return batch->lazily(x, slope, stats);
  if ((!instance && !group) || ForwardHooks::active()) return {(*this)(x, {}, slope, stats)};
  return {.x = x,
          .normalised = true,
          .scale = weight(),
          .shift = bias(),
          .slope = slope,
          .eps = instance ? instance->eps : group->eps,
          .stats = stats,
          .groups = group ? group->groups : 0};
}

StatisticsFor::StatisticsFor(const Norm& norm) {
  if (norm.batch) {
    *this = StatisticsFor(*norm.batch);
    return;
  }
  read_ = (norm.instance || norm.group) && !ForwardHooks::active();
  if (!read_) return;
  eps = norm.instance ? norm.instance->eps : norm.group->eps;
  groups = norm.group ? norm.group->groups : 0;
}
StatisticsFor::StatisticsFor(const BatchNorm& norm) : read_(!norm.uses_running() && !ForwardHooks::active()) {
  eps = norm.eps;
  of_batch = true;
  if (!read_) return;
  running = norm.moved();
  momentum = norm.momentum;
}

}  // namespace voxgrad
