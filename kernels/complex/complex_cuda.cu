#include "core/cuda/launch.h"
#include "kernels/complex/complex_kernels.h"
#include "kernels/pointwise/formulas.h"

namespace voxgrad {
namespace {

template <class F>
void on_real(DType t, F&& f) {
  t == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

template <class T>
__global__ void complex_products_kernel(ComplexProblem p, const T* a, const T* b, T* y) {
  const int64_t parts = p.parts();
  for (int64_t i : grid_stride(p.rows * parts)) {
    const int64_t r = i / parts, c = i % parts;
    const ComplexNumber<T> v = complex_product(a + 2 * (r * p.a_parts + (p.a_parts == 1 ? 0 : c)),
                                               b + 2 * (r * p.b_parts + (p.b_parts == 1 ? 0 : c)), p.conjugate ? T(-1) : T(1));
    y[2 * i] = v.re;
    y[2 * i + 1] = v.im;
  }
}

template <class T>
__global__ void complex_sums_kernel(ComplexProblem p, const T* a, const T* b, T* y) {
  const int64_t parts = p.parts();
  for (int64_t r : grid_stride(p.rows)) {
    T re = 0, im = 0;
    for (int64_t c = 0; c < parts; ++c) {
      const ComplexNumber<T> v = complex_product(a + 2 * (r * p.a_parts + (p.a_parts == 1 ? 0 : c)),
                                                 b + 2 * (r * p.b_parts + (p.b_parts == 1 ? 0 : c)), p.conjugate ? T(-1) : T(1));
      re += v.re;
      im += v.im;
    }
    y[2 * r] = re;
    y[2 * r + 1] = im;
  }
}

template <class T>
__global__ void complex_norms_kernel(int64_t rows, int64_t columns, const T* x, T* y) {
  for (int64_t r : grid_stride(rows)) {
    T sum = 0;
    for (int64_t c = 0; c < columns; ++c) sum += x[r * columns + c] * x[r * columns + c];
    y[r] = VOXGRAD_MATH sqrt(sum);
  }
}

template <class T>
__global__ void complex_norms_gradient_kernel(int64_t rows, int64_t columns, const T* x, const T* y, const T* g, T* gx) {
  for (int64_t i : grid_stride(rows * columns)) {
    const T norm = y[i / columns];
    gx[i] = norm > 0 ? g[i / columns] / norm * x[i] : T(0);
  }
}

}  // namespace

void complex_products(Cuda on, const ComplexProblem& p, View a, View b, View y) {
  on_real(y.dtype, [&]<class T>() {
    launch<complex_products_kernel<T>>(on, grid_over(p.rows * p.parts()), p, a.as<const T>(), b.as<const T>(), y.as<T>());
  });
}
void complex_sums(Cuda on, const ComplexProblem& p, View a, View b, View y) {
  on_real(y.dtype, [&]<class T>() {
    launch<complex_sums_kernel<T>>(on, grid_over(p.rows), p, a.as<const T>(), b.as<const T>(), y.as<T>());
  });
}
void row_norms(Cuda on, int64_t rows, int64_t columns, View x, View y) {
  on_real(y.dtype, [&]<class T>() { launch<complex_norms_kernel<T>>(on, grid_over(rows), rows, columns, x.as<const T>(), y.as<T>()); });
}
void row_norms_gradient(Cuda on, int64_t rows, int64_t columns, View x, View y, View g, View gx) {
  on_real(y.dtype, [&]<class T>() {
    launch<complex_norms_gradient_kernel<T>>(on, grid_over(rows * columns), rows, columns, x.as<const T>(), y.as<const T>(),
                                             g.as<const T>(), gx.as<T>());
  });
}

}  // namespace voxgrad
