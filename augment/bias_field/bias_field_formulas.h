#pragma once
#include "core/dtype.h"

namespace voxgrad {

// From -1 for the first voxel of an axis to 1 for the last one.
VOXGRAD_HD inline float bias_place(int64_t i, int64_t n) { return n > 1 ? float(2 * i) / float(n - 1) - 1 : 0; }

// The sum of coefficients times powers d^i h^j w^k with 1 <= i + j + k <= 3, the power of w changing fastest.
VOXGRAD_HD inline float bias_polynomial(const float* coefficients, float d, float h, float w) {
  float sum = 0, of_d = 1;
  for (int i = 0; i <= 3; ++i, of_d *= d) {
    float of_h = of_d;
    for (int j = 0; i + j <= 3; ++j, of_h *= h) {
      float power = of_h;
      for (int k = 0; i + j + k <= 3; ++k, power *= w)
        if (i + j + k > 0) sum += *coefficients++ * power;
    }
  }
  return sum;
}

}  // namespace voxgrad
