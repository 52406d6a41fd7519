// 3x3x3 convolutions with stride 1 of few input channels, in f32 on the ordinary cores: neighbouring threads have
// neighbouring output channels, and a thread takes a piece of a row of voxels, so that each value it loads serves three taps.
#include "core/cuda/elements.h"
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {
namespace {

constexpr int kPiece = 16, kTaps = 27;  // voxels
constexpr int kLanes = 32, kWarps = 8;  // of a block of the weight gradient

__host__ __device__ int64_t pieces_of(const ConvGather& g) {
  return g.n * g.axis[0].count * g.axis[1].count * ((g.axis[2].count + kPiece - 1) / kPiece);
}

// A piece of a row of outputs.
struct Piece {
  int64_t n;
  int d, h, w;
  __device__ Piece(const ConvGather& g, int64_t index) {
    const int per_row = (g.axis[2].count + kPiece - 1) / kPiece;
    int64_t rest = index / per_row;
    w = int(index - rest * per_row) * kPiece;
    h = int(rest % g.axis[1].count);
    rest /= g.axis[1].count;
    d = int(rest % g.axis[0].count);
    n = rest / g.axis[0].count;
  }
  // The inputs of one channel that taps (t, r, 0..2) meet; false where all of them lie outside the volume.
  template <class T>
  __device__ bool load(const ConvGather& g, const T* x, int64_t channel, int t, int r, float (&value)[kPiece + 2]) const {
    const int z = d + g.axis[0].offset + t, y = h + g.axis[1].offset + r, first = w + g.axis[2].offset;
    if (unsigned(z) >= unsigned(g.axis[0].in) || unsigned(y) >= unsigned(g.axis[1].in)) return false;
    const int64_t channels = g.inputs;
    const T* from = x + (((n * g.axis[0].in + z) * g.axis[1].in + y) * g.axis[2].in + first) * channels + channel;
#pragma unroll
    for (int i = 0; i < kPiece + 2; ++i) value[i] = unsigned(first + i) < unsigned(g.axis[2].in) ? float(from[i * channels]) : 0.f;
    return true;
  }
  __device__ int64_t first_voxel(const ConvGather& g) const {
    return ((n * g.axis[0].count + d) * g.axis[1].count + h) * g.axis[2].count + w;
  }
};

// Weights {taps, inputs, outputs}.
template <class T>
__global__ void conv3d_rows_kernel(ConvGather g, const T* x, const float* w, GatherOutput<T> out) {
  const int filters = g.outputs;
  for (int64_t item : grid_stride(pieces_of(g) * filters)) {
    const int64_t index = item / filters;
    const int k = int(item - index * filters);
    const Piece piece(g, index);
    float sum[kPiece];
#pragma unroll
    for (int i = 0; i < kPiece; ++i) sum[i] = out.added(k);
    for (int c = 0; c < g.inputs; ++c)
      for (int row = 0; row < 9; ++row) {
        float value[kPiece + 2];
        if (!piece.load(g, x, c, row / 3, row % 3, value)) continue;
#pragma unroll
        for (int s = 0; s < 3; ++s) {
          const int tap = row * 3 + s;
          const float weight = w[(int64_t(tap) * g.inputs + c) * filters + k];
#pragma unroll
          for (int i = 0; i < kPiece; ++i) sum[i] = fmaf(value[i + s], weight, sum[i]);
        }
      }
    const int64_t at = piece.first_voxel(g) * filters + k;
#pragma unroll
    for (int i = 0; i < kPiece; ++i)
      if (piece.w + i < g.axis[2].count) out.store(sum[i], k, at + int64_t(i) * filters);
  }
}

// Block x: a chunk of the pieces; y: 32 output channels; z: an input channel. partial {chunks, weights}, weights in the order of gw.
template <class T>
__global__ void conv3d_rows_weights_kernel(ConvGather g, int64_t chunk, const T* x, const T* gy, float* partial) {
  const int filters = g.outputs, lane = int(threadIdx.x) % kLanes, warp = int(threadIdx.x) / kLanes;
  const int k = int(blockIdx.y) * kLanes + lane, c = int(blockIdx.z);
  const int64_t begin = int64_t(blockIdx.x) * chunk, end = begin + chunk < pieces_of(g) ? begin + chunk : pieces_of(g);
  float sum[kTaps] = {};
  for (int64_t index = begin + warp; index < end && k < filters; index += kWarps) {
    const Piece piece(g, index);
    const T* from = gy + piece.first_voxel(g) * filters + k;
    float gradient[kPiece];
#pragma unroll
    for (int i = 0; i < kPiece; ++i) gradient[i] = piece.w + i < g.axis[2].count ? float(from[int64_t(i) * filters]) : 0.f;
#pragma unroll
    for (int row = 0; row < 9; ++row) {
      float value[kPiece + 2];
      if (!piece.load(g, x, c, row / 3, row % 3, value)) continue;
#pragma unroll
      for (int s = 0; s < 3; ++s)
#pragma unroll
        for (int i = 0; i < kPiece; ++i) sum[row * 3 + s] = fmaf(value[i + s], gradient[i], sum[row * 3 + s]);
    }
  }
  VOXGRAD_SHARED(float, sums, [kWarps][kTaps][kLanes]);
#pragma unroll
  for (int tap = 0; tap < kTaps; ++tap) sums[warp][tap][lane] = sum[tap];
  __syncthreads();
  for (int tap = warp; tap < kTaps && k < filters; tap += kWarps) {
    float total = 0;
    for (int i = 0; i < kWarps; ++i) total += sums[i][tap][lane];
    partial[(int64_t(blockIdx.x) * filters + k) * kTaps * g.inputs + tap * g.inputs + c] = total;
  }
}

}  // namespace

bool rows_are_possible(const ConvGather& g) {
  for (const GatherAxis& a : g.axis)
    if (a.taps != 3 || a.in_step != 1 || a.tap_step != 1 || a.first != 0 || a.step != 1) return false;
  return g.groups == 1 && g.inputs <= 4 && g.outputs >= 8;
}

template <class T>
void conv_gather_rows(Cuda on, const ConvGather& g, const T* x, const float* packed, const GatherOutput<T>& out) {
  const Grid grid = grid_over(pieces_of(g) * g.outputs, 128);
  launch<conv3d_rows_kernel<T>>(on, grid, g, x, packed, out);
}

template <class T>
void conv_weights_rows(Cuda on, const ConvGather& g, const T* x, const T* gy, float* gw) {
  constexpr int64_t kMostChunks = 1024;
  const int64_t filters = g.outputs, weights = filters * kTaps * g.inputs, pieces = pieces_of(g);
  int64_t chunks = (pieces + kWarps - 1) / kWarps;
  chunks = chunks < kMostChunks ? chunks : kMostChunks;
  while (chunks > 1 && chunks * weights > int64_t(1) << 26) chunks = (chunks + 1) / 2;
  const int64_t chunk = (pieces + chunks - 1) / chunks;
  chunks = (pieces + chunk - 1) / chunk;
  const Scratch partial(on, chunks * weights * int64_t(sizeof(float)));
  const Grid grid{.x = chunks, .y = (filters + kLanes - 1) / kLanes, .z = g.inputs, .threads = kLanes * kWarps};
  launch<conv3d_rows_weights_kernel<T>>(on, grid, g, chunk, x, gy, partial.as<float>());
  total_weights(on, weights, chunks, partial.as<float>(), gw);
}

// Of f32 alone: first layers of 16 bits are on the tensor cores, but for more than 2^31 elements.
template void conv_gather_rows(Cuda, const ConvGather&, const float*, const float*, const GatherOutput<float>&);
template void conv_weights_rows(Cuda, const ConvGather&, const float*, const float*, float*);

}  // namespace voxgrad
