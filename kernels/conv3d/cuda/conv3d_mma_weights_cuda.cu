// The weight gradient on the tensor cores: for every tap, {output channels} x {input channels} = the sum over voxels of gy x. A block walks
// over tiles of voxels and keeps the sums of nine taps in registers; the sums of all blocks are added in a fixed order afterwards.
#include "kernels/conv3d/cuda/conv3d_halo.cuh"

namespace voxgrad {
namespace {

constexpr int kThreads = 128, kTaps = 9, kBlocks = 1024;

// Warps of a block: along output channels, along input channels, and along voxels.
template <class T>
inline constexpr int kSide = kChunk<T> / 16;
template <class T>
inline constexpr int kShares = 4 / (kSide<T> * kSide<T>);

// a: {16 channels of gy, voxels}; gy rows from voxel v on. 16-bit elements.
__device__ inline void load_channels(uint32_t (&r)[4], const unsigned char* rows, int at, int lane) {
  ldmatrix_x4_transposed(r, SharedAddress(rows) + (at + (lane / 16 * 8 + lane % 8) * kPitch + lane / 8 % 2 * 16));
}

// Block x: shares of the tiles; y: output times input blocks of all groups; z: groups of nine taps. partial {shares, weights}.
template <class T>
__global__ void __launch_bounds__(kThreads)
    conv3d_mma_weights_kernel(ConvGather g, GatherTile tile, int64_t tiles, bool whole_x, bool whole_gy, const T* x, const T* gy,
                              float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  unsigned char* const halo = memory;
  unsigned char* const rows = memory + tile.halo_voxels() * kPitch;
  constexpr int kWide = kChunk<T>, kDepth = kStep / int(sizeof(T)), kPerPiece = 16 / int(sizeof(T)), kPieces = kRow / 16;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int side_k = warp % kSide<T>, side_c = warp / kSide<T> % kSide<T>, share = warp / (kSide<T> * kSide<T>);
  const int blocks_c = (g.inputs + kWide - 1) / kWide, blocks_k = (g.outputs + kWide - 1) / kWide;
  const int group = int(blockIdx.y) / (blocks_c * blocks_k), k0 = int(blockIdx.y) / blocks_c % blocks_k * kWide;
  const int c0 = int(blockIdx.y) % blocks_c * kWide, tap0 = int(blockIdx.z) * kTaps;
  const HaloSteps steps = halo_steps(g, tile);
  int shift[kTaps];
#pragma unroll
  for (int i = 0; i < kTaps; ++i) {
    const int t = tap0 + i < g.taps ? tap0 + i : g.taps - 1;
    shift[i] = t / (g.axis[1].taps * g.axis[2].taps) * steps.tap[0] + t / g.axis[2].taps % g.axis[1].taps * steps.tap[1] +
               t % g.axis[2].taps * steps.tap[2];
  }
  const int64_t filters = int64_t(g.outputs) * g.groups;
  const int voxels = tile.voxels();

  float sum[kTaps][2][4] = {};
  for (int64_t index = blockIdx.x; index < tiles; index += gridDim.x) {
    int first[3];
    const HaloPlace at = place_tile(g, tile, index, first);
    __syncthreads();
    load_halo(g, tile, at, group, c0, whole_x, x, halo);
    for (int item = int(threadIdx.x); item < voxels * kPieces; item += kThreads) {
      const int piece = item % kPieces, v = item / kPieces, k = k0 + piece * kPerPiece;
      const int j[3] = {first[0] + v / (tile.extent[1] * tile.extent[2]), first[1] + v / tile.extent[2] % tile.extent[1],
                        first[2] + v % tile.extent[2]};
      const bool inside = j[0] < g.axis[0].count && j[1] < g.axis[1].count && j[2] < g.axis[2].count;
      const int64_t voxel = ((at.n * g.axis[0].out + j[0]) * g.axis[1].out + j[1]) * g.axis[2].out + j[2];
      const T* from = gy + voxel * filters + int64_t(group) * g.outputs + k;
      if (whole_gy) {
        const bool valid = inside && k < g.outputs;
        cp_async_16(SharedAddress(rows + v * kPitch + piece * 16), valid ? from : gy, valid);
      } else {
        Pack<T, kPerPiece> values;
        for (int e = 0; e < kPerPiece; ++e) values.v[e] = inside && k + e < g.outputs ? from[e] : T(0.f);
        store_pack(reinterpret_cast<T*>(rows + v * kPitch + piece * 16), values);
      }
    }
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    for (int v = share * kDepth; v < voxels; v += kShares<T> * kDepth) {
      uint32_t a[4];
      if constexpr (sizeof(T) == 2) {
        load_channels(a, rows + side_k * 32, v * kPitch, lane);
        const int row = halo_row(tile, steps, v + lane / 8 % 2 * 8 + lane % 8) + side_c * 32 + lane / 16 * 16;
#pragma unroll
        for (int i = 0; i < kTaps; ++i) {
          uint32_t b[4];
          ldmatrix_x4_transposed(b, SharedAddress(halo) + (shift[i] + row));
          multiply_add<T>(sum[i][0], a, b[0], b[1]);
          multiply_add<T>(sum[i][1], a, b[2], b[3]);
        }
      } else {
        const auto tf32_at = [&](const unsigned char* p) { return tf32_of(*reinterpret_cast<const float*>(p)); };
        for (int r = 0; r < 4; ++r) a[r] = tf32_at(rows + (v + lane % 4 + r / 2 * 4) * kPitch + (lane / 4 + r % 2 * 8) * 4);
        const int row0 = halo_row(tile, steps, v + lane % 4) + lane / 4 * 4, row1 = halo_row(tile, steps, v + lane % 4 + 4) + lane / 4 * 4;
#pragma unroll
        for (int i = 0; i < kTaps; ++i)
          for (int n = 0; n < 2; ++n)
            multiply_add<T>(sum[i][n], a, tf32_at(halo + shift[i] + row0 + n * 32), tf32_at(halo + shift[i] + row1 + n * 32));
      }
    }
  }

  float* into = partial + (int64_t(blockIdx.x) * kShares<T> + share) * filters * g.taps * g.inputs;
#pragma unroll
  for (int i = 0; i < kTaps; ++i)
    for (int n = 0; n < 2; ++n)
      for (int e = 0; e < 4; ++e) {
        const int k = k0 + side_k * 16 + lane / 4 + e / 2 * 8, c = c0 + side_c * 16 + n * 8 + lane % 4 * 2 + e % 2;
        if (tap0 + i < g.taps && k < g.outputs && c < g.inputs)
          into[((int64_t(group) * g.outputs + k) * g.taps + tap0 + i) * g.inputs + c] = sum[i][n][e];
      }
}

}  // namespace

template <class T>
void conv_weights_mma(Cuda on, const ConvGather& g, const T* x, const T* gy, float* gw) {
  const GatherTile tile = halo_tile(g);
  const int64_t tiles = tile_count(g, tile), weights = int64_t(g.outputs) * g.groups * g.taps * g.inputs;
  const int64_t blocks = int64_t(g.groups) * ((g.outputs + kChunk<T> - 1) / kChunk<T>) * ((g.inputs + kChunk<T> - 1) / kChunk<T>);
  const int64_t tap_groups = (g.taps + kTaps - 1) / kTaps;
  // Blocks enough to fill a large GPU; each adds the memory of one more gradient.
  int64_t shares = kBlocks / (blocks * tap_groups);
  shares = shares < 1 ? 1 : shares;
  shares = shares < tiles ? shares : tiles;
  if (shares == 0) return total_weights(on, weights, 0, nullptr, gw);
  const Scratch partial(on, shares * kShares<T> * weights * int64_t(sizeof(float)));
  const Grid grid{.x = shares, .y = blocks, .z = tap_groups, .threads = kThreads, .shared = (tile.halo_voxels() + tile.voxels()) * kPitch};
  launch<conv3d_mma_weights_kernel<T>>(on, grid, g, tile, tiles, whole_pieces(g.inputs, x), whole_pieces(g.outputs, gy), x, gy,
                                       partial.as<float>());
  total_weights(on, weights, shares * kShares<T>, partial.as<float>(), gw);
}

#define X(T) template void conv_weights_mma(Cuda, const ConvGather&, const T*, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
