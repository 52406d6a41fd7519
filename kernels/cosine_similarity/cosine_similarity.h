#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct CosineOptions {
  int axis = -1;      // negative ones count from the end
  double eps = 1e-8;  // > 0: norms below it count as it
};
// sum a b / (max(|a|, eps) max(|b|, eps)) over one axis, which is gone, for a and b of one shape and dtype. Computed in accum_of(dtype),
// the dtype of the result. A composition of the library's ops. As PyTorch.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, const CosineOptions& = {});

}  // namespace voxgrad
