// 1x1x1 convolutions to few channels on the tensor cores, without shared memory: since the order of what a product sums over is free, a
// lane's 16 bytes of two voxels are its part of the rows as they come from memory, and weights lie in registers to match. A warp has eight
// loads under way. What is to be normalised is so in registers, by numbers of a sample's channels in shared memory.
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"

namespace voxgrad {
namespace {

constexpr int kMostHeadOutputs = 8, kHeadBytes = 64, kMostHeadChunks = 4, kMostNormalisedChunks = 2;
// Times sixteen voxels that a warp has under way: half as many beside the numbers of a norm, which spill otherwise.
VOXGRAD_HD constexpr int head_sixteens(int chunks, bool normalised) {
  const int most = normalised ? 2 : 4;
  return chunks >= most ? 1 : most / chunks;
}

// A thread has the channels of pieces lane % 4 of 64 bytes of voxels lane / 4 and + 8 of sixteen. Weights {taps = 1, outputs, inputs} of T
// or, of f32, rounded to tf32. Block y: samples, where x is normalised.
template <class T, int kChunks, bool kNormalised>
__global__ void __launch_bounds__(256, kNormalised ? 2 : 3)
    conv3d_head_kernel(ConvGather g, GatherInput input, const T* w, GatherOutput<T> out) {
  constexpr int kPerPiece = kPackWidth<T>, kSixteens = head_sixteens(kChunks, kNormalised);
  struct alignas(16) Piece {
    uint32_t word[4];
  };
  const int64_t voxels = kNormalised ? g.out_voxels() / gridDim.y : g.out_voxels(), before = kNormalised ? blockIdx.y * voxels : 0;
  const T* const x = static_cast<const T*>(input.part[0].x) + before * g.inputs;
  VOXGRAD_DYNAMIC_SHARED(memory);
  GatherNorm* const norms = reinterpret_cast<GatherNorm*>(memory);
  if constexpr (kNormalised) {
    for (int c = 0; c < kChunks; ++c) fill_norms<T>(input, c * kPieces, blockIdx.y, norms + c * kMmaChunk<T>, int(threadIdx.x));
    __syncthreads();
  }
  const int lane = int(threadIdx.x) % 32, row = lane / 4, column = lane % 4;
  const auto piece_of = [&](const T* from, int chunk, bool there) {
    const int channel = (chunk * 4 + column) * kPerPiece;
    return there && channel < g.inputs ? *reinterpret_cast<const Piece*>(from + channel) : Piece{};
  };
  Piece weights[kChunks];
#pragma unroll
  for (int c = 0; c < kChunks; ++c) weights[c] = piece_of(w + int64_t(row) * g.inputs, c, row < g.outputs);
  float added[2];
  for (int e = 0; e < 2; ++e) added[e] = 2 * column + e < g.outputs ? out.added(2 * column + e) : 0.f;

  const int64_t warps = int64_t(gridDim.x) * blockDim.x / 32, each = 16 * kSixteens;
  for (int64_t first = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / 32 * each; first < voxels; first += warps * each) {
    const T* const from = x + (first + row) * g.inputs;
    Piece part[kSixteens][2][kChunks];
#pragma unroll
    for (int i = 0; i < kSixteens; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int c = 0; c < kChunks; ++c) {
          const int64_t v = first + i * 16 + half * 8 + row;
          part[i][half][c] = piece_of(from + (i * 2 + half) * 8 * g.inputs, c, v < voxels);
        }
#pragma unroll
    for (int i = 0; i < kSixteens; ++i) {
      float sum[4] = {};
      if constexpr (kNormalised)
#pragma unroll
        for (int c = 0; c < kChunks; ++c)
#pragma unroll
          for (int half = 0; half < 2; ++half)
            reinterpret_cast<Pack<T, kPerPiece>&>(part[i][half][c]) = normalised<T>(
                reinterpret_cast<const Pack<T, kPerPiece>&>(part[i][half][c]), norms + c * kMmaChunk<T>, column, input.part[0].slope);
#pragma unroll
      for (int c = 0; c < kChunks; ++c)
#pragma unroll
        for (int k = 0; k < 2; ++k) {
          uint32_t a[4] = {part[i][0][c].word[2 * k], part[i][1][c].word[2 * k], part[i][0][c].word[2 * k + 1],
                           part[i][1][c].word[2 * k + 1]};
          round_fragment<T>(a);
          multiply_add<T>(sum, a, weights[c].word[2 * k], weights[c].word[2 * k + 1]);
        }
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int64_t v = first + i * 16 + half * 8 + row;
          if (v < voxels && 2 * column + e < g.outputs)
            out.store(sum[2 * half + e] + added[e], 2 * column + e, (before + v) * g.outputs + 2 * column + e);
        }
    }
  }
}

}  // namespace

bool head_is_possible(const ConvGather& g, int element) {
  for (const GatherAxis& a : g.axis)
    if (a.taps != 1 || a.in_step != 1 || a.offset != 0 || a.in != a.count || a.first != 0 || a.step != 1) return false;
  const int bytes = g.inputs * element;
  return g.groups == 1 && g.outputs <= kMostHeadOutputs && bytes % 16 == 0 && bytes <= kMostHeadChunks * kHeadBytes;
}

bool head_may_normalise(const ConvGather& g, int element) { return g.inputs * element <= kMostNormalisedChunks * kHeadBytes; }

ConvTraffic head_traffic(const ConvGather& g, int element) {
  const double inputs = double(g.out_voxels()) * g.inputs * element;
  return {.activations = inputs, .halos = inputs, .others = double(g.out_voxels() + g.inputs) * g.outputs * element};
}

template <class T>
void conv_gather_head(Cuda on, const ConvGather& g, const WeightPack& pack, const GatherInput& x, const float* w,
                      const GatherOutput<T>& out) {
  WeightPack plain = pack;
  plain.rows = g.outputs;
  plain.columns = g.inputs;
  const Scratch packed(on, packed_count(g, plain) * int64_t(sizeof(T)));
  pack_weights(on, g, plain, dtype_of<T> == DType::f32, w, packed.as<T>());
  const auto go = [&]<int kChunks>(Width<kChunks>) {
    const bool normalised = x.normalises();
    const int64_t each = 16 * head_sixteens(kChunks, normalised);
    const int64_t samples = normalised ? g.n : 1, warps = (g.out_voxels() / samples + each - 1) / each;
    Grid grid = grid_over(warps * 32);
    grid.y = samples;
    grid.shared = normalised ? kChunks * kMmaChunk<T> * int64_t(sizeof(GatherNorm)) : 0;
    if constexpr (kChunks <= kMostNormalisedChunks)
      if (normalised) return launch<conv3d_head_kernel<T, kChunks, true>>(on, grid, g, x, packed.as<T>(), out);
    launch<conv3d_head_kernel<T, kChunks, false>>(on, grid, g, x, packed.as<T>(), out);
  };
  const int chunks = (g.inputs * int(sizeof(T)) + kHeadBytes - 1) / kHeadBytes;
  chunks == 1 ? go(Width<1>{}) : chunks == 2 ? go(Width<2>{}) : go(Width<4>{});
}

#define X(T) \
  template void conv_gather_head(Cuda, const ConvGather&, const WeightPack&, const GatherInput&, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
