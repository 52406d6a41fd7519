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
  const auto output = [&](int64_t i) {
    float sum = 0.f;
#pragma unroll 4
    for (int s = 0; s < shares; ++s) sum += partial[s * count + i];
    return T(sum + out.added(int(p.channel)));
  };
  float origin = 0, rows = 0, sum[1] = {}, square[1] = {};
  NormSums<1> sums;
  if (out.sums.parts && p.inside) sums.begin(0, out.sums, p.sample, int(t.channels), int(p.channel));
  for_voxels(t, p, [&](int64_t i) {
    const T y = output(i);
    int64_t rest = i / t.channels, voxel = 0, stride = 1;
    for (int a = 2; a >= 0; --a) {
      voxel += stride * (g.axis[a].first + rest % g.axis[a].count * g.axis[a].step);
      stride *= g.axis[a].out;
      rest /= g.axis[a].count;
    }
    const int64_t at = (voxel + rest * stride) * t.channels + p.channel;
    out.store(Pack<T, 1>{{y}}, int(p.channel), at, 1);
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

// stats {3, samples, channels}. Block x: samples, y: channels. The parts of a sample lie behind one another; the first has outputs.
__global__ void conv3d_moments_kernel(int64_t parts, int64_t channels, double voxels, double eps, GatherMoments from, NormStats stats) {
  VOXGRAD_SHARED(double, sums, [2][kMergeThreads]);
  const int thread = int(threadIdx.x);
  const int64_t c = int64_t(blockIdx.y) * kMergedChannels + thread % kMergedChannels, first = int64_t(blockIdx.x) * parts;
  const bool inside = c < channels;
  const double origin = inside ? double(from.parts[first * 3 * channels + c]) : 0;
  double sum = 0, square = 0;
#pragma unroll 4
  for (int64_t i = thread / kMergedChannels; i < parts; i += kMergeThreads / kMergedChannels) {
    const double n = double(from.counts[first + i]);
    if (!inside || n == 0) continue;
    const float* const at = from.parts + (first + i) * 3 * channels + c;
    const double shift = double(at[0]) - origin, s = double(at[channels]);
    sum += s + n * shift;
    square += double(at[2 * channels]) + shift * (2 * s + n * shift);
  }
  sums[0][thread] = sum, sums[1][thread] = square;
  __syncthreads();
  if (thread >= kMergedChannels || !inside) return;
  sum = square = 0;
  for (int i = thread; i < kMergeThreads; i += kMergedChannels) sum += sums[0][i], square += sums[1][i];
  const double mean = sum / voxels, variance = square / voxels - mean * mean;
  stats.set(int64_t(blockIdx.x) * channels + c, NormStatistic<float>::of(origin + mean, variance < 0 ? 0 : variance, eps));
}

// As conv3d_moments_kernel: totals {samples, channels, 2} of g and g xhat.
__global__ void conv3d_sums_kernel(int64_t parts, int64_t channels, bool more, const float* from, NormStats stats, double* totals) {
  VOXGRAD_SHARED(double, sums, [2][kMergeThreads]);
  const int thread = int(threadIdx.x);
  const int64_t c = int64_t(blockIdx.y) * kMergedChannels + thread % kMergedChannels, first = int64_t(blockIdx.x) * parts;
  const bool inside = c < channels;
  double sum = 0, product = 0;
#pragma unroll 4
  for (int64_t i = thread / kMergedChannels; i < parts; i += kMergeThreads / kMergedChannels) {
    if (!inside) continue;
    const float* const at = from + (first + i) * 2 * channels + c;
    sum += double(at[0]), product += double(at[channels]);
  }
  sums[0][thread] = sum, sums[1][thread] = product;
  __syncthreads();
  if (thread >= kMergedChannels || !inside) return;
  sum = product = 0;
  for (int i = thread; i < kMergeThreads; i += kMergedChannels) sum += sums[0][i], product += sums[1][i];
  const int64_t i = int64_t(blockIdx.x) * channels + c;
  const double of_xhat = sum_of_xhat(stats[i], product, sum);
  totals[2 * i] = more ? totals[2 * i] + sum : sum;
  totals[2 * i + 1] = more ? totals[2 * i + 1] + of_xhat : of_xhat;
}

template <class T>
__global__ void conv3d_bias_gradient_kernel(ColumnCut cut, const T* g, float* partial) {
  column_partials(cut, partial, [&](int64_t row, int64_t column) { return float(g[row * cut.columns + column]); });
}

NormProblem norm_of(const ConvGather& g) {
  const int64_t channels = int64_t(g.outputs) * g.groups;
  return {.samples = g.n, .channels = channels, .groups = channels};
}
Grid merge_grid(const NormProblem& p) {
  return {.x = p.samples, .y = (p.channels + kMergedChannels - 1) / kMergedChannels, .threads = kMergeThreads};
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

void merge_moments(Cuda on, const ConvGather& g, int64_t parts, const GatherMoments& from, float* statistics, double eps) {
  const NormProblem p = norm_of(g);
  launch<conv3d_moments_kernel>(on, merge_grid(p), parts, p.channels, double(g.out_voxels() / g.n), eps, from,
                                NormStats(p, {statistics, DType::f32}));
}

void merge_sums(Cuda on, const ConvGather& g, int64_t parts, const float* sums, const GatherTotals& into) {
  const NormProblem p = norm_of(g);
  launch<conv3d_sums_kernel>(on, merge_grid(p), parts, p.channels, into.more, sums, NormStats(p, {into.stats, DType::f32}), into.sums);
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
