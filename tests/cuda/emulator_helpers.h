#pragma once
#include <cmath>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

inline const Device kCard{0};

inline Tensor ramp(int64_t n) {
  Tensor t = Tensor::empty({n});
  for (int64_t i = 0; i < n; ++i) t.mutable_data<float>()[size_t(i)] = float(i);
  return t.to(kCard);
}
inline Tensor card_floats(int64_t n) { return Tensor::empty({n}, DType::f32, kCard); }
inline float* floats(const Tensor& t) { return t.view().as<float>(); }
inline Cuda card() { return current_stream(kCard); }

inline bool has_nan(const std::vector<double>& v) {
  for (double x : v)
    if (std::isnan(x)) return true;
  return false;
}

}  // namespace voxgrad
