#include "core/cuda/elements.h"
#include "kernels/binary/binary_dispatch.h"
#include "kernels/reduce/column_sums.cuh"

namespace voxgrad {
namespace {

// b[i], or where `columns` is not 0 the f32 b[i mod columns].
template <int N, class T>
__device__ Pack<float, N> operand(const void* b, int64_t columns, int64_t i) {
  Pack<float, N> out{};
  if (columns == 0) {
    const auto v = load_pack<N>(static_cast<const T*>(b) + i);
    for (int k = 0; k < N; ++k) out.v[k] = float(v.v[k]);
  } else {
    int64_t j = columns == 1 ? 0 : i % columns;
    for (int k = 0; k < N; ++k) {
      out.v[k] = static_cast<const float*>(b)[j];
      if (++j == columns) j = 0;
    }
  }
  return out;
}

template <class F, class T, int N>
__global__ void binary_forward_kernel(PackLoop<N> loop, int64_t columns, const T* a, const void* b, T* y) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    auto v = load_pack<kWidth>(a + i);
    const auto other = operand<kWidth, T>(b, columns, i);
    for (int k = 0; k < kWidth; ++k) v.v[k] = T(F::forward(float(v.v[k]), other.v[k]));
    store_pack(y + i, v);
  });
}

// The gradient of a and, beside a full b, of b; either may be absent.
template <class F, class T, int N>
__global__ void binary_backward_kernel(PackLoop<N> loop, int64_t columns, const T* a, const void* b, const T* gy, T* ga, T* gb) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    const auto g = load_pack<kWidth>(gy + i);
    Pack<T, kWidth> u{}, out;
    Pack<float, kWidth> v{};
    if (a) u = load_pack<kWidth>(a + i);
    if (b) v = operand<kWidth, T>(b, columns, i);
    if (ga) {
      for (int k = 0; k < kWidth; ++k) out.v[k] = T(F::grad_a(float(u.v[k]), v.v[k], float(g.v[k])));
      store_pack(ga + i, out);
    }
    if (gb) {
      for (int k = 0; k < kWidth; ++k) out.v[k] = T(F::grad_b(float(u.v[k]), v.v[k], float(g.v[k])));
      store_pack(gb + i, out);
    }
  });
}

template <class F, class T>
__global__ void binary_column_gradient_kernel(ColumnCut cut, const T* a, const float* b, const T* gy, float* partial) {
  column_partials(cut, partial, [&](int64_t row, int64_t column) {
    const int64_t i = row * cut.columns + column;
    return F::grad_b(a ? float(a[i]) : 0.f, b ? b[column] : 0.f, float(gy[i]));
  });
}

}  // namespace

void binary_forward(Cuda on, const Binary& p, View a, View b, View y) {
  on_formula(p.op, [&]<class F>(F) {
    on_dtype(a.dtype, [&]<class T>() {
      constexpr int kWidth = kPackWidth<T>;
      const auto loop = pack_loop<kWidth>(p.count, a.as<T>(), b.as<T>(), y.as<T>());
      launch<binary_forward_kernel<F, T, kWidth>>(on, grid_over(loop), loop, p.columns, a.as<T>(), b.data, y.as<T>());
    });
  });
}

void binary_backward(Cuda on, const Binary& p, View a, View b, View gy, View ga, View gb) {
  on_formula(p.op, [&]<class F>(F) {
    on_dtype(gy.dtype, [&]<class T>() {
      constexpr int kWidth = kPackWidth<T>;
      T* const full = p.columns == 0 ? gb.as<T>() : nullptr;
      if (ga || full) {
        const auto loop = pack_loop<kWidth>(p.count, a.as<T>(), b.as<T>(), gy.as<T>(), ga.as<T>(), full);
        launch<binary_backward_kernel<F, T, kWidth>>(on, grid_over(loop), loop, p.columns, a.as<T>(), b.data, gy.as<T>(), ga.as<T>(), full);
      }
      if (p.columns == 0 || !gb) return;
      const ColumnCut cut = cut_columns(p.count / p.columns, p.columns);
      const Scratch partial(on, cut.chunks * cut.columns * int64_t(sizeof(float)));
      launch<binary_column_gradient_kernel<F, T>>(on, cut.grid, cut, a.as<T>(), b.as<float>(), gy.as<T>(), partial.as<float>());
      finish_column_sums(on, cut, partial.as<float>(), 1, gb.as<float>());
    });
  });
}

}  // namespace voxgrad
