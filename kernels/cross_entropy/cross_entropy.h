#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct CrossEntropyOptions {
  int ignore_label = -1;       // voxels with this label count for nothing
  Tensor class_weights = {};   // {K} f32; absent: all 1
  double label_smoothing = 0;  // in [0, 1]
};

// logits {N, .., K}, label {N, ..} of any integer dtype, p = softmax(logits). Mean over the voxels v that are not ignored:
//   sum_v [(1 - s) w[y_v] (-ln p_v[y_v]) + s / K sum_k w[k] (-ln p_v[k])] / sum_v w[y_v],   s the label smoothing, w the class weights,
// a scalar of accum_of(logits.dtype), 0 where every voxel is ignored. As PyTorch. Saves the logits; backward takes the softmax again.
Tensor cross_entropy(const Tensor& logits, const Tensor& label, const CrossEntropyOptions& = {});

}  // namespace voxgrad
