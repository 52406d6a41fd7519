#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct HeatmapLossOptions {
  double alpha = 2;  // of 1 - p at centres and of p elsewhere
  double beta = 4;   // of 1 - t: how little is asked of places close to a centre
};
// Focal loss of heat maps (Law and Deng, ECCV 2018, CornerNet; Zhou et al. 2019), for logits x of any shape, p = sigmoid(x), and targets t
// in [0, 1] of the same shape and of accum_of(dtype):
//   sum over places of (1 - p)^alpha (-ln p) where t = 1, of (1 - t)^beta p^alpha (-ln(1 - p)) elsewhere; divided by the number of t = 1,
// or by 1 where there is none. A scalar of accum_of(dtype). Saves both.
Tensor heatmap_loss(const Tensor& logits, const Tensor& target, const HeatmapLossOptions& = {});

}  // namespace voxgrad
