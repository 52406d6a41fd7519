#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Error in the name of `op` where x is absent or holds integers, which says how to get what is wanted.
inline void check_floating(const char* op, const Tensor& x) {
  check(bool(x), op, ": a floating tensor is wanted, not ", x);
  check(is_floating(x.dtype()), op, ": a floating tensor (f32, f64, bf16, f16) is wanted, not ", x, "; .to(DType::f32) makes one of it");
}

}  // namespace voxgrad
