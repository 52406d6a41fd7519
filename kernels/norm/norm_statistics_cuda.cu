#include "core/cuda/reduce.h"
#include "kernels/norm/norm_tiles.cuh"

namespace voxgrad {
namespace {

// partial {samples, chunks, channels, 2}: mean and sum of squared deviations of a chunk, from sums of x less its first voxel.
template <class T, int kWidth>
__global__ void norm_moments_kernel(NormTiles t, const T* x, double* partial) {
  const NormPlace p = norm_place<kWidth>(t);
  float origin[kWidth] = {}, sum[kWidth] = {}, square[kWidth] = {};
  if (p.inside) {
    const auto v = load_pack<kWidth>(x + (p.sample * t.voxels + p.begin) * t.channels + p.channel);
    for (int k = 0; k < kWidth; ++k) origin[k] = float(v.v[k]);
  }
  for_voxels(t, p, [&](int64_t at) {
    const auto v = load_pack<kWidth>(x + at);
    for (int k = 0; k < kWidth; ++k) {
      const float d = float(v.v[k]) - origin[k];
      sum[k] += d;
      square[k] = fmaf(d, d, square[k]);
    }
  });
  fold_voxels(t, p, sum, square);
  if (!p.inside || p.first != 0) return;
  double* const out = partial + 2 * (int64_t(blockIdx.x) * t.channels + p.channel);
  const double n = double(p.end - p.begin);
  for (int k = 0; k < kWidth; ++k) {
    const double s = double(sum[k]), deviation = double(square[k]) - s * s / n;
    out[2 * k] = double(origin[k]) + s / n;
    out[2 * k + 1] = deviation < 0 ? 0 : deviation;
  }
}

// A block per statistic: the mean of the chunks and channels of its group, then the deviations about it (Chan, Golub and LeVeque 1983).
__global__ void norm_merge_kernel(NormProblem p, NormTiles t, const double* partial, NormStats stats, float* running_mean,
                                  float* running_variance, double momentum) {
  const int64_t i = blockIdx.x, s = i / p.groups, width = p.channels / p.groups, terms = t.chunks * width;
  const double* const from = partial + 2 * (s * t.chunks * p.channels + (i - s * p.groups) * width);
  const double n = double(p.voxels) * double(width);
  const auto each = [&](auto f) {
    double sum = 0;
    for (int64_t j = threadIdx.x; j < terms; j += blockDim.x) {
      const int64_t k = j / width, left = p.voxels - k * t.chunk;
      const double* const part = from + 2 * (k * p.channels + j - k * width);
      sum += f(double(left < t.chunk ? left : t.chunk), part[0], part[1]);
    }
    return block_sum(sum);
  };
  const double mean = each([](double count, double m, double) { return count * m; }) / n;
  const double deviation = each([&](double count, double m, double d) { return d + count * (m - mean) * (m - mean); });
  if (threadIdx.x != 0) return;
  stats.set(i, NormStatistic<float>::of(mean, deviation / n, p.eps));
  if (running_mean) move_running(running_mean[i], running_variance[i], momentum, mean, deviation, n);
}

__global__ void norm_constant_statistics_kernel(NormProblem p, const float* mean, const float* variance, NormStats stats) {
  for (int64_t c : grid_stride(p.channels)) stats.set(c, NormStatistic<float>::of(double(mean[c]), double(variance[c]), p.eps));
}

// coefficients {times, samples, 3, channels}: mean, factor, offset.
__global__ void norm_coefficients_kernel(NormProblem p, int64_t times, NormStats stats, const float* scale, const float* shift,
                                         float* coefficients) {
  const int64_t width = p.channels / p.groups;
  for (int64_t i : grid_stride(times * p.samples * p.channels)) {
    const int64_t row = i / p.channels, c = i - row * p.channels;
    const NormStatistic<float> of = stats[row % p.samples * p.groups + c / width];
    const NormAffine<float> z(of, scale ? double(scale[c]) : 1, shift ? double(shift[c]) : 0);
    float* const at = coefficients + row * 3 * p.channels + c;
    at[0] = of.mean, at[p.channels] = z.factor, at[2 * p.channels] = z.offset;
  }
}

}  // namespace

void norm_statistics(Cuda on, const NormProblem& p, View x, View stats, const NormRunning& running) {
  if (norm_by_rows(p)) return norm_row_statistics(on, p, x, stats);
  on_dtype(x.dtype, [&]<class T>() {
    on_channel_width<T>(p.channels, [&](auto width) {
      constexpr int kWidth = width.value;
      const NormTiles t = norm_tiles(p.samples, p.voxels, p.channels, kWidth);
      const Scratch partial(on, p.samples * t.chunks * p.channels * 2 * int64_t(sizeof(double)));
      launch<norm_moments_kernel<T, kWidth>>(on, t.grid, t, x.as<T>(), partial.as<double>());
      launch<norm_merge_kernel>(on, {.x = p.samples * p.groups, .threads = 128}, p, t, partial.as<double>(), NormStats(p, stats),
                                running.mean.as<float>(), running.variance.as<float>(), running.momentum);
    }, x.as<T>());
  });
}

void norm_constant_statistics(Cuda on, const NormProblem& p, const NormRunning& running, View stats) {
  launch<norm_constant_statistics_kernel>(on, grid_over(p.channels), p, running.mean.as<float>(), running.variance.as<float>(),
                                          NormStats(p, stats));
}

void norm_coefficients(Cuda on, const NormProblem& p, View stats, View scale, View shift, View coefficients, int64_t times) {
  launch<norm_coefficients_kernel>(on, grid_over(times * p.samples * p.channels), p, times, NormStats(p, stats), scale.as<float>(),
                                   shift.as<float>(), coefficients.as<float>());
}

}  // namespace voxgrad
