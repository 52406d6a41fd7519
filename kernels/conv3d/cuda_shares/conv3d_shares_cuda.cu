// The sum of the shares of a gather, of the moments and sums of its parts, and of the gradient of outputs for that of the bias.
#include "kernels/conv3d/cuda_shares/conv3d_moments.cuh"
#include "kernels/norm/norm_tiles.cuh"
#include "kernels/reduce/column_sums.cuh"

namespace voxgrad {
namespace {

// Blocks and threads as norm_tiles.cuh has them, of the outputs of the gather.
template <class T>
__global__ void conv3d_shares_kernel(ConvGather g, NormTiles t, int shares, const float* partial, GatherOutput<T> out) {
  const NormPlace p = norm_place<1>(t);
  const int64_t count = g.n * t.voxels * t.channels;
  const int channel = g.channel_of(int(p.channel));
  const int64_t place = g.place_of(int(p.channel)) + channel;
  const auto summed = [&](int64_t i) {
    float sum = 0.f;
#pragma unroll 4
    for (int s = 0; s < shares; ++s) sum += partial[s * count + i];
    return Pack<T, 1>{{T(sum + out.added(channel))}};
  };
  float origin = 0, rows = 0, sum[1] = {}, square[1] = {};
  NormSums<1> sums;
  if (out.sums.parts && p.inside) sums.begin(0, out.sums, p.sample, int(t.channels), int(p.channel));
  for_voxels(t, p, [&](int64_t i) {
    int64_t rest = i / t.channels, voxel = 0, stride = 1;
    for (int a = 2; a >= 0; --a) {
      voxel += stride * (g.axis[a].first + rest % g.axis[a].count * g.axis[a].step);
      stride *= g.axis[a].out;
      rest /= g.axis[a].count;
    }
    const int64_t at = (voxel + rest * stride) * g.channels() + place;
    const Pack<T, 1> stored = out.ended(summed(i), channel, at, 1);
    const T y = stored.v[0];
    out.put(stored, at, 1);
    if (out.sums.parts) return sums.add(0, float(out.sums.x[at]), float(y), out.sums.slope);
    if (rows == 0) origin = float(y);
    const float d = float(y) - origin;
    ++rows;
    sum[0] += d;
    square[0] = fmaf(d, d, square[0]);
  });
  if (out.sums.parts) {
    fold_voxels<1>(t, p, sums.sum, sums.product);
    if (p.inside && p.first == 0) out.sums.set(blockIdx.x, int(t.channels), int(p.channel), sums.sum[0], sums.product[0]);
    return;
  }
  if (!out.moments.parts) return;
  // From the origin of the first of the threads that share a channel.
  VOXGRAD_SHARED(float, origins, [kNormThreads]);
  origins[threadIdx.x] = origin;
  __syncthreads();
  const float shift = origin - origins[int(threadIdx.x) % t.lanes];
  square[0] += shift * (2 * sum[0] + rows * shift);
  sum[0] += rows * shift;
  fold_voxels<1>(t, p, sum, square);
  if (!p.inside || p.first != 0) return;
  out.moments.set(blockIdx.x, int(t.channels), int(p.channel), origin, sum[0], square[0]);
  if (p.channel == 0) out.moments.counts[blockIdx.x] = int(p.end - p.begin);
}

constexpr int kMergedChannels = 8, kMergeThreads = 512;  // 32 bytes of neighbouring channels

// load(part) for the parts of this thread, several of which are on their way, and add(..) of each in order.
template <class F, class G>
__device__ void for_parts(int64_t parts, F load, G add) {
  constexpr int kAtOnce = 8, kTurns = kMergeThreads / kMergedChannels;
  for (int64_t first = threadIdx.x / kMergedChannels; first < parts; first += kAtOnce * kTurns) {
    decltype(load(first)) loaded[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int64_t part = first + i * kTurns;
      loaded[i] = load(part < parts ? part : first);
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i)
      if (first + i * kTurns < parts) add(loaded[i]);
  }
}
struct LoadedMoments {
  int count;
  float origin, sum, square;
};
struct LoadedSums {
  float sum, product;
};

// Channels of a block: whole groups of a norm.
VOXGRAD_HD int64_t merged_channels(int64_t width) { return kMergedChannels % width == 0 ? kMergedChannels : width; }

// stats {3, samples, groups}. Block x: samples, y: groups of channels. The parts of a sample lie behind one another; the first has outputs.
__global__ void conv3d_moments_kernel(int64_t parts, NormProblem p, GatherMoments from, NormStats stats, float* running_mean,
                                      float* running_variance, double momentum) {
  VOXGRAD_SHARED(double, sums, [2][kMergeThreads]);
  VOXGRAD_SHARED(double, columns, [3][kMergedChannels]);
  const int64_t channels = p.channels, width = channels / p.groups, span = merged_channels(width), first = int64_t(blockIdx.x) * parts;
  const int64_t begin = int64_t(blockIdx.y) * span, end = begin + span < channels ? begin + span : channels;
  const int thread = int(threadIdx.x), column = thread % kMergedChannels;
  const double voxels = double(p.voxels);
  NormMoments own;  // of every kMergedChannels-th channel
  for (int64_t c0 = begin; c0 < end; c0 += kMergedChannels) {
    const int64_t c = c0 + column;
    const bool inside = c < end;
    const double origin = inside ? double(from.parts[first * 3 * channels + c]) : 0;
    double sum = 0, square = 0;
    for_parts(inside ? parts : 0, [&](int64_t i) {
      const float* const at = from.parts + (first + i) * 3 * channels + c;
      return LoadedMoments{from.counts[first + i], at[0], at[channels], at[2 * channels]};
    }, [&](const LoadedMoments& m) {
      if (m.count == 0) return;
      const double n = double(m.count), shift = double(m.origin) - origin, s = double(m.sum);
      sum += s + n * shift;
      square += double(m.square) + shift * (2 * s + n * shift);
    });
    __syncthreads();
    sums[0][thread] = sum, sums[1][thread] = square;
    __syncthreads();
    if (thread >= kMergedChannels || !inside) continue;
    sum = square = 0;
    for (int i = thread; i < kMergeThreads; i += kMergedChannels) sum += sums[0][i], square += sums[1][i];
    const double deviation = square - sum * sum / voxels;
    own.merge(voxels, origin + sum / voxels, deviation < 0 ? 0 : deviation);
  }
  if (thread < kMergedChannels) columns[0][thread] = own.count, columns[1][thread] = own.mean, columns[2][thread] = own.deviation;
  __syncthreads();
  const int each = width < kMergedChannels ? int(width) : kMergedChannels;  // columns of a group
  if (thread >= span / width || begin + thread * width >= channels) return;
  NormMoments all;
  for (int i = thread * each; i < (thread + 1) * each; ++i) all.merge(columns[0][i], columns[1][i], columns[2][i]);
  const int64_t group = begin / width + thread;
  stats.set(int64_t(blockIdx.x) * p.groups + group, NormStatistic<float>::of(all.mean, all.deviation / all.count, p.eps));
  if (running_mean) move_running(running_mean[group], running_variance[group], momentum, all.mean, all.deviation, all.count);
}

// totals {samples, channels, 2} of g and g xhat. Blocks as those of the moments of single channels.
__global__ void conv3d_sums_kernel(int64_t parts, NormProblem p, bool more, const float* from, NormStats stats, double* totals) {
  VOXGRAD_SHARED(double, sums, [2][kMergeThreads]);
  const int thread = int(threadIdx.x);
  const int64_t channels = p.channels;
  const int64_t c = int64_t(blockIdx.y) * kMergedChannels + thread % kMergedChannels, first = int64_t(blockIdx.x) * parts;
  const bool inside = c < channels;
  double sum = 0, product = 0;
  for_parts(inside ? parts : 0, [&](int64_t i) {
    const float* const at = from + (first + i) * 2 * channels + c;
    return LoadedSums{at[0], at[channels]};
  }, [&](const LoadedSums& s) { sum += double(s.sum), product += double(s.product); });
  sums[0][thread] = sum, sums[1][thread] = product;
  __syncthreads();
  if (thread >= kMergedChannels || !inside) return;
  sum = product = 0;
  for (int i = thread; i < kMergeThreads; i += kMergedChannels) sum += sums[0][i], product += sums[1][i];
  const int64_t i = int64_t(blockIdx.x) * channels + c;
  const double of_xhat = sum_of_xhat(stats[int64_t(blockIdx.x) * p.groups + c / (channels / p.groups)], product, sum);
  totals[2 * i] = more ? totals[2 * i] + sum : sum;
  totals[2 * i + 1] = more ? totals[2 * i + 1] + of_xhat : of_xhat;
}

template <class T>
__global__ void conv3d_bias_gradient_kernel(ColumnCut cut, const T* g, float* partial) {
  column_partials(cut, partial, [&](int64_t row, int64_t column) { return float(g[row * cut.columns + column]); });
}

NormProblem norm_of(const ConvGather& g, int64_t groups, bool of_batch, double eps = 0) {
  const int64_t samples = of_batch ? 1 : g.n;
  return {.samples = samples, .voxels = g.out_voxels() / samples, .channels = int64_t(g.outputs) * g.groups, .groups = groups, .eps = eps};
}
Grid merge_grid(const NormProblem& p, int64_t channels) {
  return {.x = p.samples, .y = (p.channels + channels - 1) / channels, .threads = kMergeThreads};
}

}  // namespace

template <class T>
void add_shares(Cuda on, const ConvGather& g, int shares, const float* partial, const GatherOutput<T>& to) {
  const NormTiles t = norm_tiles(g.n, g.out_voxels() / g.n, int64_t(g.outputs) * g.groups, 1, 1);
  with_moments(on, g, to, g.n * t.chunks,
               [&](const GatherOutput<T>& out) { launch<conv3d_shares_kernel<T>>(on, t.grid, g, t, shares, partial, out); });
}
template void add_shares(Cuda, const ConvGather&, int, const float*, const GatherOutput<float>&);
template void add_shares(Cuda, const ConvGather&, int, const float*, const GatherOutput<bf16>&);
template void add_shares(Cuda, const ConvGather&, int, const float*, const GatherOutput<f16>&);

void merge_moments(Cuda on, const ConvGather& g, int64_t parts, const GatherMoments& from, const WrittenStatistics& into) {
  const NormProblem p = norm_of(g, into.groups, into.of_batch, into.eps);
  launch<conv3d_moments_kernel>(on, merge_grid(p, merged_channels(p.channels / p.groups)), parts / p.samples, p, from,
                                NormStats(p, into.stats), into.running.mean.as<float>(), into.running.variance.as<float>(),
                                into.running.momentum);
}

void merge_sums(Cuda on, const ConvGather& g, int64_t parts, const float* sums, const GatherTotals& totals) {
  const WrittenSums& to = totals.into;
  const NormProblem p = norm_of(g, to.groups, to.part.of_batch);
  launch<conv3d_sums_kernel>(on, merge_grid(p, kMergedChannels), parts / p.samples, p, totals.more, sums, NormStats(p, to.stats),
                             to.sums.as<double>());
}

void conv3d_bias_gradient(Cuda on, int64_t rows, int64_t channels, View g, View gb) {
  on_dtype(g.dtype, [&]<class T>() {
    const ColumnCut cut = cut_columns(rows, channels);
    const Scratch partial(on, cut.chunks * cut.columns * int64_t(sizeof(float)));
    launch<conv3d_bias_gradient_kernel<T>>(on, cut.grid, cut, g.as<T>(), partial.as<float>());
    finish_column_sums(on, cut, partial.as<float>(), 1, gb.as<float>());
  });
}

}  // namespace voxgrad
