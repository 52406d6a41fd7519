#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// a {rows, a_parts, 2} and b {rows, b_parts, 2}, f32 or f64; an operand of one part goes with each of the other's.
struct ComplexProblem {
  int64_t rows = 0, a_parts = 1, b_parts = 1;
  bool conjugate = false;  // of a
  VOXGRAD_HD int64_t parts() const { return a_parts > b_parts ? a_parts : b_parts; }
};
// y {rows, parts, 2} = a b
void complex_products(Cpu, const ComplexProblem&, View a, View b, View y);
void complex_products(Cuda, const ComplexProblem&, View a, View b, View y);
// y {rows, 2} = sum of these products
void complex_sums(Cpu, const ComplexProblem&, View a, View b, View y);
void complex_sums(Cuda, const ComplexProblem&, View a, View b, View y);

// y[r] = sqrt(sum of x[r, 0 .. columns)^2)
void row_norms(Cpu, int64_t rows, int64_t columns, View x, View y);
void row_norms(Cuda, int64_t rows, int64_t columns, View x, View y);
// gx = g[r] x / y[r], 0 where y is 0
void row_norms_gradient(Cpu, int64_t rows, int64_t columns, View x, View y, View g, View gx);
void row_norms_gradient(Cuda, int64_t rows, int64_t columns, View x, View y, View g, View gx);

// conj(a) b or a b
template <class T>
struct ComplexNumber {
  T re, im;
};
template <class T>
VOXGRAD_HD inline ComplexNumber<T> complex_product(const T* a, const T* b, T sign) {
  return {a[0] * b[0] - sign * a[1] * b[1], a[0] * b[1] + sign * a[1] * b[0]};
}

}  // namespace voxgrad
