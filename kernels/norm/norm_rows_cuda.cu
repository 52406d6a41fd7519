#include "core/cuda/reduce.h"
#include "kernels/norm/norm_tiles.cuh"

namespace voxgrad {
namespace {

// Rows of `channels` elements, each normalised by itself: a warp per row.
template <class T>
struct NormRows {
  int64_t rows, channels;
  const T *x, *gy;
  NormStats stats;
  const float *scale, *shift;

  // f(row, its statistic) for the rows of this warp.
  template <class F>
  __device__ void each(F f) const {
    const int64_t warps = int64_t(gridDim.x) * (blockDim.x / 32);
    for (int64_t r = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; r < rows; r += warps) f(r);
  }
  // f(channel, element) for the channels of this lane.
  template <class F>
  __device__ void along(int64_t row, F f) const {
    for (int64_t c = threadIdx.x % 32; c < channels; c += 32) f(c, row * channels + c);
  }
  __device__ float xhat(int64_t element, const NormStatistic<float>& s) const { return ((float(x[element]) - s.mean) - s.rest) * s.rstd; }
};

template <class T>
__global__ void norm_row_statistics_kernel(NormRows<T> p, double eps) {
  p.each([&](int64_t r) {
    const float origin = float(p.x[r * p.channels]);
    float sum = 0, square = 0;
    p.along(r, [&](int64_t, int64_t i) {
      const float d = float(p.x[i]) - origin;
      sum += d;
      square = fmaf(d, d, square);
    });
    const double n = double(p.channels), shift = double(warp_sum(sum)) / n, variance = double(warp_sum(square)) / n - shift * shift;
    if (threadIdx.x % 32 == 0) p.stats.set(r, NormStatistic<float>::of(double(origin) + shift, variance < 0 ? 0 : variance, eps));
  });
}

template <class T>
__global__ void norm_row_apply_kernel(NormRows<T> p, T* y) {
  p.each([&](int64_t r) {
    const NormStatistic<float> s = p.stats[r];
    p.along(r, [&](int64_t c, int64_t i) { y[i] = T(p.xhat(i, s) * (p.scale ? p.scale[c] : 1.f) + (p.shift ? p.shift[c] : 0.f)); });
  });
}

// With t = scale gy: gx = rstd (t - mean(t) - xhat mean(t xhat)), means over the row.
template <class T>
__global__ void norm_row_gradient_kernel(NormRows<T> p, T* gx) {
  p.each([&](int64_t r) {
    const NormStatistic<float> s = p.stats[r];
    const auto scaled = [&](int64_t c, int64_t i) { return p.scale ? float(p.gy[i]) * p.scale[c] : float(p.gy[i]); };
    float sum = 0, product = 0;
    p.along(r, [&](int64_t c, int64_t i) {
      const float t = scaled(c, i);
      sum += t;
      product = fmaf(t, p.xhat(i, s), product);
    });
    const float mean = warp_sum(sum) / float(p.channels), mean_x = warp_sum(product) / float(p.channels);
    p.along(r, [&](int64_t c, int64_t i) { gx[i] = T(s.rstd * (scaled(c, i) - mean - p.xhat(i, s) * mean_x)); });
  });
}

// partial {chunks, channels, 2}: sums over rows of gy and gy xhat.
template <class T, int kWidth>
__global__ void norm_row_columns_kernel(NormTiles t, NormRows<T> rows, float* partial) {
  const NormPlace p = norm_place<kWidth>(t);
  float sum[kWidth] = {}, product[kWidth] = {};
  for_voxels(t, p, [&](int64_t at) {
    const NormStatistic<float> s = rows.stats[at / t.channels];
    const auto g = load_pack<kWidth>(rows.gy + at);
    for (int k = 0; k < kWidth; ++k) {
      sum[k] += float(g.v[k]);
      product[k] = fmaf(float(g.v[k]), rows.xhat(at + k, s), product[k]);
    }
  });
  fold_voxels(t, p, sum, product);
  if (!p.inside || p.first != 0) return;
  float* const out = partial + 2 * (int64_t(blockIdx.x) * t.channels + p.channel);
  for (int k = 0; k < kWidth; ++k) out[2 * k] = sum[k], out[2 * k + 1] = product[k];
}

__global__ void norm_row_totals_kernel(int64_t chunks, int64_t channels, const float* partial, double* sums) {
  const int64_t i = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  if (i >= 2 * channels) return;
  double sum = 0;
  for (int64_t k = threadIdx.x % 32; k < chunks; k += 32) sum += double(partial[k * 2 * channels + i]);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) sums[i] = sum;
}

template <class T>
NormRows<T> rows_of(const NormProblem& p, View x, View gy, View stats, View scale, View shift) {
  return {p.samples, p.channels, x.as<T>(), gy.as<T>(), NormStats(p, stats), scale.as<float>(), shift.as<float>()};
}

Grid warp_per_row(int64_t rows) { return {.x = (rows + 3) / 4 < 65536 ? (rows + 3) / 4 : 65536, .threads = 128}; }

}  // namespace

void norm_row_statistics(Cuda on, const NormProblem& p, View x, View stats) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<norm_row_statistics_kernel<T>>(on, warp_per_row(p.samples), rows_of<T>(p, x, {}, stats, {}, {}), p.eps);
  });
}

void norm_row_apply(Cuda on, const NormProblem& p, View x, View stats, View scale, View shift, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<norm_row_apply_kernel<T>>(on, warp_per_row(p.samples), rows_of<T>(p, x, {}, stats, scale, shift), y.as<T>());
  });
}

// The gradients of scale and shift first: out.x may be gy.
void norm_row_backward(Cuda on, const NormProblem& p, View x, View gy, View stats, View scale, const NormGradients& out) {
  on_dtype(x.dtype, [&]<class T>() {
    const NormRows<T> rows = rows_of<T>(p, x, gy, stats, scale, {});
    if (out.scale || out.shift)
      on_channel_width<T>(p.channels, [&](auto width) {
        constexpr int kWidth = width.value;
        const NormTiles t = norm_tiles(1, p.samples, p.channels, kWidth);
        const Scratch partial(on, 2 * t.chunks * p.channels * int64_t(sizeof(float))), sums(on, 2 * p.channels * int64_t(sizeof(double)));
        launch<norm_row_columns_kernel<T, kWidth>>(on, t.grid, t, rows, partial.as<float>());
        launch<norm_row_totals_kernel>(on, {.x = (2 * p.channels + 3) / 4, .threads = 128}, t.chunks, p.channels, partial.as<float>(),
                                       sums.as<double>());
        norm_finish_parameters(on, 1, p.channels, sums.as<double>(), out.scale, out.shift);
      }, gy.as<T>());
    if (out.x) launch<norm_row_gradient_kernel<T>>(on, warp_per_row(p.samples), rows, out.x.as<T>());
  });
}

}  // namespace voxgrad
