// Convolutions in f32 on the ordinary cores: few channels, depthwise, and wherever exact f32 is asked for.
#include "core/cuda/elements.h"
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {
namespace {

// The position of an output in y, and of what tap 0 reads of x.
struct Place {
  int64_t n;
  int j[3];
};
__device__ Place place_of(const ConvGather& g, int64_t voxel) {
  Place p;
  int64_t rest = voxel;
  for (int a = 2; a >= 0; --a) {
    const int64_t next = rest / g.axis[a].count;
    p.j[a] = int(rest - next * g.axis[a].count);
    rest = next;
  }
  p.n = rest;
  return p;
}
__device__ int64_t out_index(const ConvGather& g, const Place& p) {
  int64_t at = p.n;
  for (int a = 0; a < 3; ++a) at = at * g.axis[a].out + g.axis[a].first + int64_t(p.j[a]) * g.axis[a].step;
  return at;
}

// A thread makes kOut neighbouring output channels of one voxel. Weights {groups, taps, inputs, outputs}.
template <class T, int kOut>
__global__ void conv3d_direct_kernel(ConvGather g, const T* x, const float* w, GatherOutput<T> out) {
  const int blocks = g.outputs / kOut * g.groups;
  const int64_t channels = int64_t(g.inputs) * g.groups;
  for (int64_t item : grid_stride(g.out_voxels() * blocks)) {
    const int64_t voxel = item / blocks;
    const int block = int(item - voxel * blocks), group = block / (g.outputs / kOut), m = block % (g.outputs / kOut) * kOut;
    const Place p = place_of(g, voxel);
    float sum[kOut];
    for (int k = 0; k < kOut; ++k) sum[k] = out.added(group * g.outputs + m + k);
    const float* weights = w + int64_t(group) * g.taps * g.inputs * g.outputs + m;
    for (int t = 0; t < g.axis[0].taps; ++t) {
      const int d = p.j[0] * g.axis[0].in_step + g.axis[0].offset + t * g.axis[0].tap_step;
      for (int r = 0; r < g.axis[1].taps; ++r) {
        const int h = p.j[1] * g.axis[1].in_step + g.axis[1].offset + r * g.axis[1].tap_step;
        const bool inside = unsigned(d) < unsigned(g.axis[0].in) && unsigned(h) < unsigned(g.axis[1].in);
        for (int s = 0; s < g.axis[2].taps; ++s, weights += int64_t(g.inputs) * g.outputs) {
          const int v = p.j[2] * g.axis[2].in_step + g.axis[2].offset + s * g.axis[2].tap_step;
          if (!inside || unsigned(v) >= unsigned(g.axis[2].in)) continue;
          const T* from = x + (((p.n * g.axis[0].in + d) * g.axis[1].in + h) * g.axis[2].in + v) * channels + int64_t(group) * g.inputs;
          for (int c = 0; c < g.inputs; ++c) {
            const float a = float(from[c]);
            for (int k = 0; k < kOut; ++k) sum[k] = fmaf(a, weights[int64_t(c) * g.outputs + k], sum[k]);
          }
        }
      }
    }
    const int first = group * g.outputs + m;
    const int64_t at = out_index(g, p) * (int64_t(g.outputs) * g.groups) + first;
    for (int k = 0; k < kOut; ++k) out.store(sum[k], first + k, at + k);
  }
}

constexpr int kWeightThreads = 256;

// A block adds up, over its chunk of output voxels, one tap and one input channel of 256 / kLanes weights of neighbouring output channels;
// kLanes threads share a weight. partial {chunks, weights}, weights in the order of gw.
template <class T, int kLanes>
__global__ void conv3d_direct_weights_kernel(ConvGather g, int64_t chunk, const T* x, const T* gy, float* partial) {
  const int64_t channels = int64_t(g.inputs) * g.groups, filters = int64_t(g.outputs) * g.groups, per_filter = int64_t(g.taps) * g.inputs;
  constexpr int kPerBlock = kWeightThreads / kLanes;
  const int lane = int(threadIdx.x) / kPerBlock;
  const int64_t k = int64_t(blockIdx.y) * kPerBlock + threadIdx.x % kPerBlock;
  const int64_t part = int64_t(blockIdx.x) / per_filter;
  const int element = int(int64_t(blockIdx.x) - part * per_filter), tap = element / g.inputs, c = element % g.inputs;
  const int offset[3] = {tap / (g.axis[1].taps * g.axis[2].taps), tap / g.axis[2].taps % g.axis[1].taps, tap % g.axis[2].taps};
  const int64_t begin = part * chunk, end = begin + chunk < g.out_voxels() ? begin + chunk : g.out_voxels();
  float sum = 0;
  if (k < filters)
    for (int64_t v = begin + lane; v < end; v += kLanes) {
      const Place p = place_of(g, v);
      int64_t at = p.n;
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        const int i = p.j[a] * g.axis[a].in_step + g.axis[a].offset + offset[a] * g.axis[a].tap_step;
        inside = inside && unsigned(i) < unsigned(g.axis[a].in);
        at = at * g.axis[a].in + i;
      }
      if (inside) sum = fmaf(float(x[at * channels + k / g.outputs * g.inputs + c]), float(gy[v * filters + k]), sum);
    }
  VOXGRAD_SHARED(float, sums, [kWeightThreads]);
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (int half = kLanes / 2; half > 0; half /= 2) {
    if (lane < half) sums[threadIdx.x] += sums[threadIdx.x + half * kPerBlock];
    __syncthreads();
  }
  if (lane == 0 && k < filters) partial[(part * filters + k) * per_filter + element] = sums[threadIdx.x];
}

// gw[i] = the sum of the chunks, in f64; kLanes threads, 256 / kLanes apart, share a weight.
template <int kLanes>
__global__ void conv3d_weights_total_kernel(int64_t weights, int64_t chunks, const float* partial, float* gw) {
  constexpr int kPerBlock = kWeightThreads / kLanes;
  const int lane = int(threadIdx.x) / kPerBlock;
  const int64_t i = int64_t(blockIdx.x) * kPerBlock + threadIdx.x % kPerBlock;
  double sum = 0;
  if (i < weights)
    for (int64_t c = lane; c < chunks; c += kLanes) sum += double(partial[c * weights + i]);
  VOXGRAD_SHARED(double, sums, [kWeightThreads]);
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (lane > 0 || i >= weights) return;
  for (int other = 1; other < kLanes; ++other) sum += sums[threadIdx.x + other * kPerBlock];
  gw[i] = float(sum);
}

}  // namespace

template <class T>
void conv_gather_direct(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  WeightPack transposed = pack;
  transposed.transposed = true;
  transposed.rows = g.outputs;
  transposed.columns = g.inputs;
  const Scratch packed(on, packed_count(g, transposed) * int64_t(sizeof(float)));
  pack_weights(on, g, transposed, false, w, packed.as<float>());
  if constexpr (dtype_of<T> == DType::f32)
    if (rows_are_possible(g)) return conv_gather_rows<T>(on, g, x, packed.as<float>(), out);
  const auto go = [&]<int kOut>(Width<kOut>) {
    launch<conv3d_direct_kernel<T, kOut>>(on, grid_over(g.out_voxels() * (g.outputs / kOut) * g.groups, 128), g, x, packed.as<float>(),
                                          out);
  };
  if (g.outputs % 8 == 0) go(Width<8>{});
  else if (g.outputs % 4 == 0) go(Width<4>{});
  else go(Width<1>{});
}

template <class T>
void conv_weights_direct(Cuda on, const ConvGather& g, const T* x, const T* gy, float* gw) {
  if constexpr (dtype_of<T> == DType::f32)
    if (rows_are_possible(g)) return conv_weights_rows<T>(on, g, x, gy, gw);
  const int64_t filters = int64_t(g.outputs) * g.groups, weights = filters * g.taps * g.inputs, voxels = g.out_voxels();
  // Chunks enough to fill a GPU, few enough that their sums stay small.
  int64_t chunks = voxels / 2048 < 1 ? 1 : voxels / 2048;
  while (chunks > 1 && chunks * weights > int64_t(1) << 26) chunks = (chunks + 1) / 2;
  const int64_t chunk = voxels / chunks + 1;
  const Scratch partial(on, chunks * weights * int64_t(sizeof(float)));
  const auto go = [&]<int kLanes>(Width<kLanes>) {
    constexpr int kPerBlock = kWeightThreads / kLanes;
    launch<conv3d_direct_weights_kernel<T, kLanes>>(
        on, {.x = chunks * g.taps * g.inputs, .y = (filters + kPerBlock - 1) / kPerBlock, .threads = kWeightThreads}, g, chunk, x, gy,
        partial.as<float>());
  };
  filters <= 16 ? go(Width<16>{}) : go(Width<4>{});
  total_weights(on, weights, chunks, partial.as<float>(), gw);
}

void total_weights(Cuda on, int64_t weights, int64_t chunks, const float* partial, float* gw) {
  const auto go = [&]<int kLanes>(Width<kLanes>) {
    constexpr int kPerBlock = kWeightThreads / kLanes;
    launch<conv3d_weights_total_kernel<kLanes>>(on, {.x = (weights + kPerBlock - 1) / kPerBlock, .threads = kWeightThreads}, weights,
                                                chunks, partial, gw);
  };
  // Of many chunks the sums would wait for memory one after the other; eight weights are a sector.
  chunks < 64 ? go(Width<1>{}) : go(Width<32>{});
}

#define X(T)                                                                                                                    \
  template void conv_gather_direct(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&); \
  template void conv_weights_direct(Cuda, const ConvGather&, const T*, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
