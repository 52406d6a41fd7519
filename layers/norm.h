#pragma once
#include "core/forward_hooks.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/norm/norm.h"
#include "layers/conv.h"
#include "layers/norm_kind.h"

namespace voxgrad {

struct NormLayer {
  int channels = 0;
  double eps = 1e-5;
  bool affine = true;
  int groups = 8;         // of GroupNorm
  double momentum = 0.1;  // of BatchNorm
};

// y = act(norm(x) + skip) with act(z) = z > 0 ? z : slope z, in the passes of the norm alone; skip may be absent, slope 1 is no activation.

struct InstanceNorm {
  Tensor weight, bias;  // {channels}; absent if not affine
  double eps = 1e-5;
  FIELDS(weight, bias)

  InstanceNorm() = default;
  explicit InstanceNorm(const NormLayer&);
  // stats: of x, where they are known already (ConvStatistics).
  Tensor operator()(const Tensor& x, const Tensor& skip = {}, double slope = 1, const Tensor& stats = {}) const;
};

struct GroupNorm {
  Tensor weight, bias;
  int groups = 8;
  double eps = 1e-5;
  FIELDS(weight, bias)

  GroupNorm() = default;
  explicit GroupNorm(const NormLayer&);
  Tensor operator()(const Tensor& x, const Tensor& skip = {}, double slope = 1, const Tensor& stats = {}) const;
};

class StatisticsFor;

// Uses the statistics of x and moves the running ones. Within Inference, within Training(rng, Training::Statistics::running), and after
// eval(..) or freeze(..) of it or of what it is part of, the running ones are used and stay.
struct BatchNorm {
  Tensor weight, bias;
  Buffer running_mean, running_var;
  Mode mode;
  double eps = 1e-5, momentum = 0.1;
  FIELDS(weight, bias, running_mean, running_var, mode)

  BatchNorm() = default;
  explicit BatchNorm(const NormLayer&);
  // stats: of x, where they are known already, and the running ones are moved.
  Tensor operator()(const Tensor& x, const Tensor& skip = {}, double slope = 1, const Tensor& stats = {}) const;
  // The same of conv(x). With running statistics and without a gradient of the weight here it is part of the convolution.
  Tensor behind(const Conv3d& conv, const ConvSource& x, const Tensor& skip = {}, double slope = 1) const;
  // These without a skip, left to the convolution that reads it where that is possible. To be read once.
  ConvSource lazily(const Tensor& x, double slope = 1, const Tensor& stats = {}) const;
  ConvSource lazily_behind(const Conv3d& conv, const ConvSource& x, double slope = 1) const;

 private:
  friend StatisticsFor;
  bool uses_running() const;
  RunningStatistics moved() const;  // the running ones, unless a computation is repeated
};

// Over the channels of each voxel (ConvNeXt's LayerNorm2d).
struct ChannelNorm {
  Tensor weight, bias;
  double eps = 1e-6;
  FIELDS(weight, bias)

  ChannelNorm() = default;
  explicit ChannelNorm(int channels);
  Tensor operator()(const Tensor& x) const;
};

// One of them, chosen when the network is built. `none` adds the skip and activates.
struct Norm {
  NormKind kind = NormKind::none;
  std::optional<InstanceNorm> instance;
  std::optional<BatchNorm> batch;
  std::optional<GroupNorm> group;
  FIELDS(instance, batch, group)

  Norm() = default;
  Norm(NormKind, const NormLayer&);
  // stats: of x, where they are known already (StatisticsFor).
  Tensor operator()(const Tensor& x, const Tensor& skip = {}, double slope = 1, const Tensor& stats = {}) const;
  // The same without a skip, left to the convolution that reads it where that is possible. To be read once.
  ConvSource lazily(const Tensor& x, double slope = 1, const Tensor& stats = {}) const;
  // The scale and shift of the norm that is present.
  Tensor weight() const { return instance ? instance->weight : batch ? batch->weight : group ? group->weight : Tensor{}; }
  Tensor bias() const { return instance ? instance->bias : batch ? batch->bias : group ? group->bias : Tensor{}; }
};

// What a convolution is asked for by the norm that reads what it writes, and nobody changes in between: `wanted` is null where the norm
// has no use for it.
class StatisticsFor : public ConvStatistics {
 public:
  explicit StatisticsFor(const Norm&);
  explicit StatisticsFor(const BatchNorm&);
  ConvStatistics* wanted() { return read_ ? this : nullptr; }

 private:
  bool read_ = false;
};

}  // namespace voxgrad
