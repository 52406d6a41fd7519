#include "core/cuda/reduce.h"
#include "kernels/norm/norm_tiles.cuh"

namespace voxgrad {
namespace {

// Mean, factor and offset of the thread's channels, of a table {samples, 3, channels}.
template <int kWidth>
struct NormColumns {
  float mean[kWidth], factor[kWidth], offset[kWidth];
  __device__ NormColumns(const NormTiles& t, const NormPlace& p, const float* coefficients) {
    const float* const at = coefficients + p.sample * 3 * t.channels + p.channel;
    for (int k = 0; k < kWidth && p.inside; ++k)
      mean[k] = at[k], factor[k] = at[t.channels + k], offset[k] = at[2 * t.channels + k];
  }
};

template <class T, int kWidth>
__global__ void norm_apply_kernel(NormTiles t, float slope, const float* coefficients, const T* x, const T* skip, T* y) {
  const NormPlace p = norm_place<kWidth>(t);
  const NormColumns<kWidth> c(t, p, coefficients);
  for_voxels(t, p, [&](int64_t at) {
    auto v = load_pack<kWidth>(x + at);
    Pack<T, kWidth> other{};
    if (skip) other = load_pack<kWidth>(skip + at);
    for (int k = 0; k < kWidth; ++k) {
      float z = (float(v.v[k]) - c.mean[k]) * c.factor[k] + c.offset[k];
      if (skip) z += float(other.v[k]);
      v.v[k] = T(z > 0 ? z : slope * z);
    }
    store_pack(y + at, v);
  });
}

// g = gy act'(z), z recomputed from d = x - mean or, in sign, read off y. f(element, d, g) for the voxels of the thread.
template <class T>
struct NormInputs {
  const T *x, *y, *gy;
  float slope;
  template <int kWidth, class F>
  __device__ void each(const NormTiles& t, const NormPlace& p, const NormColumns<kWidth>& c, F f) const {
    for_voxels(t, p, [&](int64_t at) {
      const auto xs = load_pack<kWidth>(x + at), gs = load_pack<kWidth>(gy + at);
      Pack<T, kWidth> ys{};
      if (y) ys = load_pack<kWidth>(y + at);
      float d[kWidth], g[kWidth];
      for (int k = 0; k < kWidth; ++k) {
        d[k] = float(xs.v[k]) - c.mean[k];
        const float z = y ? float(ys.v[k]) : d[k] * c.factor[k] + c.offset[k];
        g[k] = activation_gradient(z, float(gs.v[k]), slope);
      }
      f(at, d, g);
    });
  }
};

// partial {samples, chunks, channels, 2}: sums of g and of g (x - mean).
template <class T, int kWidth>
__global__ void norm_gradient_sums_kernel(NormTiles t, const float* coefficients, NormInputs<T> in, float* partial) {
  const NormPlace p = norm_place<kWidth>(t);
  const NormColumns<kWidth> c(t, p, coefficients);
  float sum[kWidth] = {}, product[kWidth] = {};
  in.each(t, p, c, [&](int64_t, const float (&d)[kWidth], const float (&g)[kWidth]) {
    for (int k = 0; k < kWidth; ++k) sum[k] += g[k], product[k] = fmaf(g[k], d[k], product[k]);
  });
  fold_voxels(t, p, sum, product);
  if (!p.inside || p.first != 0) return;
  float* const out = partial + 2 * (int64_t(blockIdx.x) * t.channels + p.channel);
  for (int k = 0; k < kWidth; ++k) out[2 * k] = sum[k], out[2 * k + 1] = product[k];
}

// sums {samples, channels, 2}: of g and of g xhat, over the chunks. A warp per sample and channel.
__global__ void norm_gradient_totals_kernel(NormProblem p, int64_t chunks, NormStats stats, const float* partial, double* sums) {
  const int lane = int(threadIdx.x) % 32;
  const int64_t i = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  if (i >= p.samples * p.channels) return;
  const int64_t s = i / p.channels, c = i - s * p.channels;
  double g = 0, gd = 0;
  for (int64_t k = lane; k < chunks; k += 32) {
    const float* const from = partial + 2 * ((s * chunks + k) * p.channels + c);
    g += double(from[0]), gd += double(from[1]);
  }
  g = warp_sum(g), gd = warp_sum(gd);
  if (lane != 0) return;
  sums[2 * i] = g;
  sums[2 * i + 1] = sum_of_xhat(stats[s * p.groups + c / (p.channels / p.groups)], gd, g);
}

__global__ void norm_parameters_kernel(int64_t samples, int64_t channels, const double* sums, float* gscale, float* gshift) {
  for (int64_t c : grid_stride(channels)) {
    double g = 0, gx = 0;
    for (int64_t s = 0; s < samples; ++s) g += sums[2 * (s * channels + c)], gx += sums[2 * (s * channels + c) + 1];
    if (gshift) gshift[c] = float(g);
    if (gscale) gscale[c] = float(gx);
  }
}

// through {samples, groups, 2}: slope and constant. A warp per statistic.
__global__ void norm_through_kernel(NormProblem p, NormStats stats, const float* scale, const double* sums, float* through) {
  const int lane = int(threadIdx.x) % 32;
  const int64_t i = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  if (i >= p.samples * p.groups) return;
  const int64_t s = i / p.groups, width = p.channels / p.groups, first = (i - s * p.groups) * width;
  double mg = 0, mx = 0;
  for (int64_t c = first + lane; c < first + width; c += 32) {
    const double a = scale ? double(scale[c]) : 1;
    mg += a * sums[2 * (s * p.channels + c)];
    mx += a * sums[2 * (s * p.channels + c) + 1];
  }
  mg = warp_sum(mg), mx = warp_sum(mx);
  if (lane != 0) return;
  const NormThrough<float> out(stats[i], mg, mx, double(p.voxels) * double(width));
  through[2 * i] = out.slope, through[2 * i + 1] = out.constant;
}

// gx = factor g + slope (x - mean) + constant, + more of what has been stored, gskip = g. `through` is null where statistics are constant.
template <class T, int kWidth>
__global__ void norm_gradient_kernel(NormTiles t, int64_t groups, const float* coefficients, const float* through, NormInputs<T> in, T* gx,
                                     T* gskip, const T* more) {
  const NormPlace p = norm_place<kWidth>(t);
  const NormColumns<kWidth> c(t, p, coefficients);
  float slope[kWidth] = {}, constant[kWidth] = {};
  for (int k = 0; k < kWidth && p.inside && through; ++k) {
    const float* const from = through + 2 * (p.sample * groups + (p.channel + k) / (t.channels / groups));
    slope[k] = from[0], constant[k] = from[1];
  }
  in.each(t, p, c, [&](int64_t at, const float (&d)[kWidth], const float (&g)[kWidth]) {
    Pack<T, kWidth> out;
    if (gx) {
      for (int k = 0; k < kWidth; ++k) out.v[k] = T(g[k] * c.factor[k] + (d[k] * slope[k] + constant[k]));
      if (more) {
        const auto other = load_pack<kWidth>(more + at);
        for (int k = 0; k < kWidth; ++k) out.v[k] = T(float(out.v[k]) + float(other.v[k]));
      }
      store_pack(gx + at, out);
    }
    if (gskip) {
      for (int k = 0; k < kWidth; ++k) out.v[k] = T(g[k]);
      store_pack(gskip + at, out);
    }
  });
}

Grid warps_for(int64_t n) { return {.x = (n + 3) / 4, .threads = 128}; }

template <class T, int kWidth>
void backward_of(Cuda on, const NormProblem& p, const NormInputs<T>& in, View stats, View scale, View shift, const NormGradients& out,
                 View known) {
  const NormTiles t = norm_tiles(p.samples, p.voxels, p.channels, kWidth);
  const int64_t columns = p.samples * p.channels, each = int64_t(sizeof(float));
  const Scratch coefficients(on, 3 * columns * each), through(on, 2 * p.samples * p.groups * each);
  norm_coefficients(on, p, stats, scale, shift, {coefficients.as<void>(), DType::f32});
  const bool statistics = out.x && !p.constant_statistics;
  if (out.scale || out.shift || statistics) {
    const Scratch partial(on, known ? 0 : 2 * t.chunks * columns * each), taken(on, known ? 0 : 2 * columns * int64_t(sizeof(double)));
    double* const sums = known ? known.as<double>() : taken.as<double>();
    if (!known) {
      launch<norm_gradient_sums_kernel<T, kWidth>>(on, t.grid, t, coefficients.as<float>(), in, partial.as<float>());
      launch<norm_gradient_totals_kernel>(on, warps_for(columns), p, t.chunks, NormStats(p, stats), partial.as<float>(), sums);
    }
    norm_finish_parameters(on, p.samples, p.channels, sums, out.scale, out.shift);
    if (statistics)
      launch<norm_through_kernel>(on, warps_for(p.samples * p.groups), p, NormStats(p, stats), scale.as<float>(), sums,
                                  through.as<float>());
  }
  if (!out.x && !out.skip) return;
  launch<norm_gradient_kernel<T, kWidth>>(on, t.grid, t, p.groups, coefficients.as<float>(), statistics ? through.as<float>() : nullptr, in,
                                          out.x.as<T>(), out.skip.as<T>(), out.more.as<T>());
}

}  // namespace

void norm_finish_parameters(Cuda on, int64_t samples, int64_t channels, const double* sums, View gscale, View gshift) {
  if (!gscale && !gshift) return;
  launch<norm_parameters_kernel>(on, grid_over(channels, 64), samples, channels, sums, gscale.as<float>(), gshift.as<float>());
}

void norm_apply(Cuda on, const NormProblem& p, View x, View stats, View scale, View shift, View skip, View y) {
  if (norm_by_rows(p) && !skip && p.slope == 1) return norm_row_apply(on, p, x, stats, scale, shift, y);
  const Scratch coefficients(on, 3 * p.samples * p.channels * int64_t(sizeof(float)));
  norm_coefficients(on, p, stats, scale, shift, {coefficients.as<void>(), DType::f32});
  on_dtype(x.dtype, [&]<class T>() {
    on_channel_width<T>(p.channels, [&](auto width) {
      constexpr int kWidth = width.value;
      const NormTiles t = norm_tiles(p.samples, p.voxels, p.channels, kWidth);
      launch<norm_apply_kernel<T, kWidth>>(on, t.grid, t, float(p.slope), coefficients.as<float>(), x.as<T>(), skip.as<T>(), y.as<T>());
    }, x.as<T>(), skip.as<T>(), y.as<T>());
  });
}

void norm_backward(Cuda on, const NormProblem& p, View x, View y, View gy, View stats, View scale, View shift, const NormGradients& out,
                   View sums) {
  if (norm_by_rows(p) && !y && p.slope == 1) return norm_row_backward(on, p, x, gy, stats, scale, out);
  on_dtype(x.dtype, [&]<class T>() {
    const NormInputs<T> in = {x.as<T>(), y.as<T>(), gy.as<T>(), float(p.slope)};
    on_channel_width<T>(p.channels, [&](auto width) { backward_of<T, width.value>(on, p, in, stats, scale, shift, out, sums); }, in.x,
                        in.y, in.gy, out.x.as<T>(), out.skip.as<T>(), out.more.as<T>());
  });
}

}  // namespace voxgrad
