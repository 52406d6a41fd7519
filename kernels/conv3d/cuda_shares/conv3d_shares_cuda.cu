// The sum of the shares of a gather, and of the moments of its parts.
#include "kernels/conv3d/cuda_shares/conv3d_moments.cuh"
#include "kernels/norm/norm_tiles.cuh"

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
  for_voxels(t, p, [&](int64_t i) {
    const T y = output(i);
    int64_t rest = i / t.channels, voxel = 0, stride = 1;
    for (int a = 2; a >= 0; --a) {
      voxel += stride * (g.axis[a].first + rest % g.axis[a].count * g.axis[a].step);
      stride *= g.axis[a].out;
      rest /= g.axis[a].count;
    }
    out.store(Pack<T, 1>{{y}}, int(p.channel), (voxel + rest * stride) * t.channels + p.channel, 1);
    if (rows == 0) origin = float(y);
    const float d = float(y) - origin;
    ++rows;
    sum[0] += d;
    square[0] = fmaf(d, d, square[0]);
  });
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
  const int64_t channels = int64_t(g.outputs) * g.groups;
  const NormProblem p{.samples = g.n, .channels = channels, .groups = channels};
  launch<conv3d_moments_kernel>(on, {.x = g.n, .y = (channels + kMergedChannels - 1) / kMergedChannels, .threads = kMergeThreads}, parts,
                                channels, double(g.out_voxels() / g.n), eps, from, NormStats(p, {statistics, DType::f32}));
}

}  // namespace voxgrad
