#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"
#include "kernels/complex/complex_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kComplexGrain = 1 << 13;

template <class F>
void on_real_type(DType t, F&& f) {
  t == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

template <class T, bool kSum>
void complex_rows(const ComplexProblem& p, const T* a, const T* b, T* y) {
  const int64_t parts = p.parts(), a_step = p.a_parts == 1 ? 0 : 2, b_step = p.b_parts == 1 ? 0 : 2;
  const T sign = p.conjugate ? T(-1) : T(1);
  parallel_for(p.rows, std::max<int64_t>(1, kComplexGrain / parts), [&](int64_t r) {
    const T *const from_a = a + r * p.a_parts * 2, *const from_b = b + r * p.b_parts * 2;
    T* const to = y + r * (kSum ? 1 : parts) * 2;
    T re = 0, im = 0;
    for (int64_t c = 0; c < parts; ++c) {
      const ComplexNumber<T> v = complex_product(from_a + c * a_step, from_b + c * b_step, sign);
      if (kSum) re += v.re, im += v.im;
      else to[2 * c] = v.re, to[2 * c + 1] = v.im;
    }
    if (kSum) to[0] = re, to[1] = im;
  });
}

}  // namespace

void complex_products(Cpu, const ComplexProblem& p, View a, View b, View y) {
  on_real_type(y.dtype, [&]<class T>() { complex_rows<T, false>(p, a.as<const T>(), b.as<const T>(), y.as<T>()); });
}
void complex_sums(Cpu, const ComplexProblem& p, View a, View b, View y) {
  on_real_type(y.dtype, [&]<class T>() { complex_rows<T, true>(p, a.as<const T>(), b.as<const T>(), y.as<T>()); });
}

void row_norms(Cpu, int64_t rows, int64_t columns, View x, View y) {
  on_real_type(y.dtype, [&]<class T>() {
    parallel_for(rows, std::max<int64_t>(1, kComplexGrain / columns), [&](int64_t r) {
      T sum = 0;
      for (int64_t c = 0; c < columns; ++c) sum += x.as<const T>()[r * columns + c] * x.as<const T>()[r * columns + c];
      y.as<T>()[r] = std::sqrt(sum);
    });
  });
}
void row_norms_gradient(Cpu, int64_t rows, int64_t columns, View x, View y, View g, View gx) {
  on_real_type(y.dtype, [&]<class T>() {
    parallel_for(rows, std::max<int64_t>(1, kComplexGrain / columns), [&](int64_t r) {
      const T norm = y.as<const T>()[r], factor = norm > 0 ? g.as<const T>()[r] / norm : T(0);
      for (int64_t c = 0; c < columns; ++c) gx.as<T>()[r * columns + c] = factor * x.as<const T>()[r * columns + c];
    });
  });
}

}  // namespace voxgrad
