#include "kernels/reduce/column_sums.cuh"
#include "kernels/reduce/long_sum.cuh"
#include "kernels/statistics/statistics_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kSmall = 4096, kMostOuter = 65535;

// A thread per output.
template <class F, class T>
__global__ void statistics_runs_kernel(F f, ReduceRuns p, const T* x, const float* pivot, float* y) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const int64_t o = i / p.inner, j = i - o * p.inner;
    const float middle = pivot ? pivot[i] : 0.f;
    LongSum sum;
    for (int64_t r = 0; r < p.reduced; ++r) sum.add(f.term(float(x[(o * p.reduced + r) * p.inner + j]), middle));
    y[i] = f.finish(sum.value(), middle);
  }
}

template <class F, class T>
__global__ void statistics_columns_kernel(F f, ColumnCut cut, const T* x, const float* pivot, float* partial) {
  const T* from = x + int64_t(blockIdx.z) * cut.rows * cut.columns;
  const float* middle = pivot ? pivot + int64_t(blockIdx.z) * cut.columns : nullptr;
  column_partials(cut, partial + int64_t(blockIdx.z) * cut.chunks * cut.columns, [&](int64_t row, int64_t column) {
    return f.term(float(from[row * cut.columns + column]), middle ? middle[column] : 0.f);
  });
}

template <class F>
__global__ void statistics_finish_kernel(F f, int64_t n, const float* pivot, float* y) {
  for (int64_t i : grid_stride(n)) y[i] = f.finish(double(y[i]), pivot ? pivot[i] : 0.f);
}

template <class F, class T>
__global__ void statistics_backward_kernel(F f, ReduceRuns p, const T* x, const float* pivot, const float* y, const float* gy, T* gx) {
  for (int64_t i : grid_stride(p.outer * p.reduced * p.inner)) {
    const int64_t row = i / p.inner, k = row / p.reduced * p.inner + (i - row * p.inner);
    gx[i] = T(gy[k] * f.derivative(float(x[i]), F::kPivot ? pivot[k] : 0.f, F::kResult ? y[k] : 0.f));
  }
}

template <class F>
void forward_of(Cuda on, const F& f, const ReduceRuns& p, View x, View pivot, View y) {
  const float* const middle = pivot.as<float>();
  float* const into = y.as<float>();
  const int64_t outputs = p.outer * p.inner;
  const bool small = p.reduced * p.inner <= kSmall || outputs >= 1 << 20;
  on_dtype(x.dtype, [&]<class T>() {
    const T* const from = x.as<T>();
    if (small) {
      launch<statistics_runs_kernel<F, T>>(on, grid_over(outputs), f, p, from, middle, into);
      return;
    }
    const ColumnCut cut = cut_columns(p.reduced, p.inner);
    for (int64_t first = 0; first < p.outer; first += kMostOuter) {
      ColumnCut part = cut;
      part.outer = p.outer - first < kMostOuter ? p.outer - first : kMostOuter;
      part.grid.z = part.outer;
      const Scratch partial(on, part.outer * cut.chunks * cut.columns * int64_t(sizeof(float)));
      launch<statistics_columns_kernel<F, T>>(on, part.grid, f, part, from + first * p.reduced * p.inner,
                                              middle ? middle + first * p.inner : nullptr, partial.as<float>());
      finish_column_sums(on, part, partial.as<float>(), 1, into + first * p.inner);
    }
  });
  if (!small) launch<statistics_finish_kernel<F>>(on, grid_over(outputs), f, outputs, middle, into);
}

template <class F>
void backward_of(Cuda on, const F& f, const ReduceRuns& p, View x, View pivot, View y, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<statistics_backward_kernel<F, T>>(on, grid_over(p.outer * p.reduced * p.inner), f, p, x.as<T>(), pivot.as<float>(),
                                             y.as<float>(), gy.as<float>(), gx.as<T>());
  });
}

template <class T>
__global__ void statistics_product_kernel(ReduceRuns p, const T* x, float* y) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const int64_t from = i / p.inner * p.reduced * p.inner + i % p.inner;
    double product = 1;
    for (int64_t r = 0; r < p.reduced; ++r) product *= double(float(x[from + r * p.inner]));
    y[i] = float(product);
  }
}

template <class T>
__global__ void statistics_product_backward_kernel(ReduceRuns p, const T* x, const float* gy, T* gx) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const int64_t from = i / p.inner * p.reduced * p.inner + i % p.inner;
    double others = 1;  // the product of those that are not 0
    int64_t zeros = 0;
    for (int64_t r = 0; r < p.reduced; ++r) {
      const double v = double(float(x[from + r * p.inner]));
      others *= v == 0 ? 1 : v;
      zeros += v == 0;
    }
    for (int64_t r = 0; r < p.reduced; ++r) {
      const double v = double(float(x[from + r * p.inner]));
      const double without = zeros == 0 ? others / v : zeros == 1 && v == 0 ? others : 0;
      gx[from + r * p.inner] = T(float(double(gy[i]) * without));
    }
  }
}

}  // namespace

#define X(F)                                                                                                                       \
  void statistic_forward(Cuda on, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y) {                \
    forward_of(on, f, p, x, pivot, y);                                                                                             \
  }                                                                                                                                \
  void statistic_backward(Cuda on, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y, View gy, View gx) { \
    backward_of(on, f, p, x, pivot, y, gy, gx);                                                                                    \
  }
VOXGRAD_STATISTIC_FORMULAS(X)
#undef X

void product_forward(Cuda on, const ReduceRuns& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<statistics_product_kernel<T>>(on, grid_over(p.outer * p.inner), p, x.as<T>(), y.as<float>());
  });
}

void product_backward(Cuda on, const ReduceRuns& p, View x, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<statistics_product_backward_kernel<T>>(on, grid_over(p.outer * p.inner), p, x.as<T>(), gy.as<float>(), gx.as<T>());
  });
}

}  // namespace voxgrad
