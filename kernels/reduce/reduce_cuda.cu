#include "core/cuda/reduce.h"
#include "kernels/reduce/column_sums.cuh"
#include "kernels/reduce/long_sum.cuh"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kSmall = 4096, kMostOuter = 65535;

// Few terms per output, one behind the other: a warp per output.
template <class T>
__global__ void reduce_sum_rows_kernel(int64_t rows, int64_t columns, double scale, const T* x, float* y) {
  const int lane = int(threadIdx.x) % 32;
  for (int64_t r = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; r < rows; r += int64_t(gridDim.x) * (blockDim.x / 32)) {
    float sum = 0;
    for (int64_t c = lane; c < columns; c += 32) sum += float(x[r * columns + c]);
    sum = warp_sum(sum);
    if (lane == 0) y[r] = float(double(sum) * scale);
  }
}

// Few terms per output, `inner` apart: a thread per output.
template <class T>
__global__ void reduce_sum_runs_kernel(ReduceRuns p, double scale, const T* x, float* y) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const int64_t o = i / p.inner, j = i - o * p.inner;
    LongSum sum;
    for (int64_t r = 0; r < p.reduced; ++r) sum.add(float(x[(o * p.reduced + r) * p.inner + j]));
    y[i] = float(sum.value() * scale);
  }
}

template <class T>
__global__ void reduce_sum_columns_kernel(ColumnCut cut, const T* x, float* partial) {
  const T* from = x + int64_t(blockIdx.z) * cut.rows * cut.columns;
  column_partials(cut, partial + int64_t(blockIdx.z) * cut.chunks * cut.columns,
                  [&](int64_t row, int64_t column) { return float(from[row * cut.columns + column]); });
}

// The larger or the smaller of two; a NaN stays.
template <bool kSmallest>
struct Extreme {
  __device__ float operator()(float a, float b) const { return (kSmallest ? b < a : b > a) || b != b ? b : a; }
};

template <class T, bool kSmallest>
__global__ void reduce_extreme_runs_kernel(ReduceRuns p, const T* x, T* y) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const int64_t o = i / p.inner, j = i - o * p.inner;
    const T* from = x + o * p.reduced * p.inner + j;
    float best = float(from[0]);
    for (int64_t r = 1; r < p.reduced; ++r) best = Extreme<kSmallest>{}(best, float(from[r * p.inner]));
    y[i] = T(best);
  }
}

// Many terms per output: a block per output.
template <class T, bool kSmallest>
__global__ void reduce_extreme_block_kernel(ReduceRuns p, const T* x, T* y) {
  const int64_t o = int64_t(blockIdx.x) / p.inner, j = int64_t(blockIdx.x) % p.inner;
  const T* from = x + o * p.reduced * p.inner + j;
  float best = float(from[0]);
  for (int64_t r = threadIdx.x; r < p.reduced; r += blockDim.x) best = Extreme<kSmallest>{}(best, float(from[r * p.inner]));
  best = block_fold(best, Extreme<kSmallest>{});
  if (threadIdx.x == 0) y[blockIdx.x] = T(best);
}

// The axes of a spread, neighbours of one kind joined; stride: of g, 0 along reduced axes.
struct SpreadAxes {
  int rank = 0;
  int64_t extent[Spread::kRank] = {}, stride[Spread::kRank] = {};
  int64_t count = 1;
  double scale = 1;
};

SpreadAxes axes_of(const Spread& p) {
  SpreadAxes a{.scale = p.scale};
  bool reduced[Spread::kRank] = {};
  for (int k = 0; k < p.rank; ++k) {
    a.count *= p.extent[k];
    if (p.extent[k] == 1) continue;
    if (a.rank > 0 && reduced[a.rank - 1] == p.reduced[k]) a.extent[a.rank - 1] *= p.extent[k];
    else a.extent[a.rank] = p.extent[k], reduced[a.rank++] = p.reduced[k];
  }
  int64_t step = 1;
  for (int k = a.rank - 1; k >= 0; --k)
    if (!reduced[k]) a.stride[k] = step, step *= a.extent[k];
  return a;
}

template <class I, class T, class G>
__global__ void reduce_spread_kernel(SpreadAxes p, const G* g, const T* x, const T* y, T* gx) {
  const float scale = float(p.scale);
  for (int64_t item : grid_stride(p.count)) {
    I rest = I(item);
    int64_t at = 0;
#pragma unroll
    for (int k = Spread::kRank - 1; k >= 0; --k) {
      if (k >= p.rank) continue;
      const I next = rest / I(p.extent[k]);
      at += int64_t(rest - next * I(p.extent[k])) * p.stride[k];
      rest = next;
    }
    float v = float(g[at]) * scale;
    if (x) {
      const float a = float(x[item]), largest = float(y[at]);
      if (!(a == largest || (a != a && largest != largest))) v = 0;
    }
    gx[item] = T(v);
  }
}

template <class T, class I>
__global__ void reduce_argmax_rows_kernel(int64_t rows, int64_t columns, const T* x, I* y) {
  for (int64_t r : grid_stride(rows)) {
    float best = float(x[r * columns]);
    int64_t at = 0;
    for (int64_t c = 1; c < columns; ++c) {
      const float v = float(x[r * columns + c]);
      if (v > best || (v != v && best == best)) best = v, at = c;
    }
    y[r] = I(at);
  }
}

}  // namespace

void sum_runs(Cuda on, const ReduceRuns& p, double scale, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    const T* from = x.as<T>();
    float* into = y.as<float>();
    const int64_t outputs = p.outer * p.inner;
    if (p.reduced * p.inner <= kSmall || outputs >= 1 << 20) {
      if (p.inner == 1 && p.reduced >= 16 && p.reduced <= kSmall)
        launch<reduce_sum_rows_kernel<T>>(on, {.x = (p.outer + 7) / 8 < 65536 ? (p.outer + 7) / 8 : 65536}, p.outer, p.reduced, scale, from,
                                          into);
      else launch<reduce_sum_runs_kernel<T>>(on, grid_over(outputs), p, scale, from, into);
      return;
    }
    const ColumnCut cut = cut_columns(p.reduced, p.inner);
    for (int64_t first = 0; first < p.outer; first += kMostOuter) {
      ColumnCut part = cut;
      part.outer = p.outer - first < kMostOuter ? p.outer - first : kMostOuter;
      part.grid.z = part.outer;
      const Scratch partial(on, part.outer * cut.chunks * cut.columns * int64_t(sizeof(float)));
      launch<reduce_sum_columns_kernel<T>>(on, part.grid, part, from + first * p.reduced * p.inner, partial.as<float>());
      finish_column_sums(on, part, partial.as<float>(), scale, into + first * p.inner);
    }
  });
}

void extreme_runs(Cuda on, const ReduceRuns& p, bool smallest, View x, View y) {
  const int64_t outputs = p.outer * p.inner;
  on_dtype(x.dtype, [&]<class T>() {
    const auto go = [&]<bool kSmallest>() {
      if (p.reduced >= 256 && outputs < 1 << 14)
        launch<reduce_extreme_block_kernel<T, kSmallest>>(on, {.x = outputs}, p, x.as<T>(), y.as<T>());
      else launch<reduce_extreme_runs_kernel<T, kSmallest>>(on, grid_over(outputs), p, x.as<T>(), y.as<T>());
    };
    smallest ? go.template operator()<true>() : go.template operator()<false>();
  });
}

void spread(Cuda on, Spread p, View g, View x, View y, View gx) {
  const SpreadAxes axes = axes_of(p);
  on_dtype(gx.dtype, [&]<class T>() {
    const auto go = [&]<class I, class G>(I, const G* from) {
      launch<reduce_spread_kernel<I, T, G>>(on, grid_over(axes.count), axes, from, x.as<T>(), y.as<T>(), gx.as<T>());
    };
    const auto go_on = [&](auto index) { g.dtype == gx.dtype ? go(index, g.as<const T>()) : go(index, g.as<const float>()); };
    axes.count < int64_t(1) << 31 ? go_on(uint32_t(0)) : go_on(uint64_t(0));
  });
}

void argmax_rows(Cuda on, int64_t rows, int64_t columns, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    if (y.dtype == DType::u8) launch<reduce_argmax_rows_kernel<T, uint8_t>>(on, grid_over(rows), rows, columns, x.as<T>(), y.as<uint8_t>());
    else launch<reduce_argmax_rows_kernel<T, int32_t>>(on, grid_over(rows), rows, columns, x.as<T>(), y.as<int32_t>());
  });
}

}  // namespace voxgrad
