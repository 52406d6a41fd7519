#pragma once
#include "kernels/norm/norm.h"

namespace voxgrad {

// y = act(norm(x) + skip), act(z) = z > 0 ? z : slope z; slope 0 is ReLU, slope 1 no activation. skip has the shape and dtype of x, or is
// absent. One pass for the statistics and one that writes; backward is one reduction and one writing pass. Saves x and the
// statistics (the activation is recomputed), and y where there is a skip. Norms as in kernels/norm/norm.h.
// stats: of x, where they are known already (ConvStatistics, with the same eps and groups; batch_statistics).
struct NormActOptions {
  double slope = 0.01, eps = 1e-5;
  Tensor stats = {};
};
Tensor instance_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip = {}, const NormActOptions& = {});

struct GroupNormActOptions {
  int groups = 8;
  double slope = 0.01, eps = 1e-5;
  Tensor stats = {};
};
Tensor group_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, const GroupNormActOptions&);

struct BatchNormActOptions {
  double slope = 0.01, eps = 1e-5, momentum = 0.1;
  bool training = true;
  Tensor stats = {};
};
// `running` as for batch_norm; with known statistics it has been moved already, and stays. Without training these are
// constant_statistics(), and `running` is absent.
Tensor batch_norm_act(const Tensor& x, const Tensor& scale, const Tensor& shift, const RunningStatistics& running, const Tensor& skip = {},
                      const BatchNormActOptions& = {});

}  // namespace voxgrad
