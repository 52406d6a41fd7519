// The weight gradient on the tensor cores: for every tap, {output channels} x {input channels} = the sum over voxels of gy x. A block walks
// over tiles of voxels, the next of which is on its way while one is multiplied, and keeps the sums of nine taps in registers; the sums of
// all blocks are added in a fixed order afterwards.
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_weights/conv3d_mma_weights.cuh"

namespace voxgrad {
namespace {

constexpr int kThreads = 128, kNorms = kNormBytes / int(sizeof(GatherNorm)), kTaps = kWeightTaps;

// The group and the first channels of a block; of its taps the first one of its part, how many of them there are, and the first one of all.
struct WeightsBlock {
  int group, k0, c0, part_tap, taps, tap;
};

// Block x: shares of the tiles; y: output times input blocks of all groups; z: groups of nine taps of each part, which begin part_step
// positions along D apart. apart: taps of a group whose slots lie behind one another (MmaWeightsPlan). joined: groups of the convolution
// that are one here, of which no sums of two are kept. partial {shares, weights}. kExact: f32 is multiplied without loss, as parts of tf32.
template <class T, int kSideK, bool kExact>
__global__ void __launch_bounds__(kThreads, 2)
    conv3d_mma_weights_kernel(ConvGather g, MmaTile tile, int64_t tiles, int part_step, int apart, int joined, bool whole_gy,
                              GatherInput x, const T* gy, float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  constexpr int kWide = kMmaChunk<T>, kM = weight_sixteens(sizeof(T)), kWarpK = 16 * kM, kHigh = kSideK * kWarpK;
  constexpr int kPerPiece = 16 / int(sizeof(T)), kSideC = weight_side_c(sizeof(T));
  constexpr int kDepth = kMmaStep / int(sizeof(T)), kShares = 4 / (kSideK * kSideC), kRows = kHigh * int(sizeof(T)) / kSlot;
  const int slots = tile.slots(), voxels = tile.voxels();
  int* const table = reinterpret_cast<int*>(memory);
  GatherNorm* const norms = reinterpret_cast<GatherNorm*>(memory + tile.table_bytes());
  unsigned char* const stages = memory + tile.table_bytes() + 2 * kNormBytes;
  const int stage_bytes = (slots + voxels * kRows) * kSlot;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int side_k = warp % kSideK, side_c = warp / kSideK % kSideC, share = warp / (kSideK * kSideC);
  const int blocks_c = (g.inputs + kWide - 1) / kWide, blocks_k = (g.outputs + kHigh - 1) / kHigh;
  const int part_taps = g.axis[0].taps * g.axis[1].taps * g.axis[2].taps, groups = (part_taps + kTaps - 1) / kTaps;
  const int part = int(blockIdx.z) / groups, first_tap = int(blockIdx.z) % groups * kTaps;
  const WeightsBlock b{int(blockIdx.y) / (blocks_c * blocks_k), int(blockIdx.y) / blocks_c % blocks_k * kHigh,
                       int(blockIdx.y) % blocks_c * kWide, first_tap, part_taps - first_tap, part * part_taps + first_tap};
  g.axis[0].offset += part * part_step;
  const int64_t filters = int64_t(g.outputs) * g.groups;
  const int own_piece = int(threadIdx.x) % kPieces;  // of each slot of the halo
  int shift[kTaps];
#pragma unroll
  for (int i = 0; i < kTaps; ++i) {
    const int own = i < b.taps ? i : b.taps - 1, t = b.part_tap + own;
    shift[i] = apart ? own * voxels
                          : tile.shift(t / (g.axis[1].taps * g.axis[2].taps), t / g.axis[2].taps % g.axis[1].taps, t % g.axis[2].taps);
  }
  if (apart) fill_positions_apart(g, tile, b.part_tap, part_taps, table, int(threadIdx.x), kThreads);
  else fill_positions(tile, table, int(threadIdx.x), kThreads);
  __syncthreads();

  // f(slot, voxel, inside) for the slots of a halo, of which this thread has a piece each.
  const auto for_slots = [&](int64_t n, const int(&first)[3], const auto& f) {
#pragma unroll 1
    for (int slot = int(threadIdx.x) / kPieces; slot < slots; slot += kThreads / kPieces) {
      const int at = table[slot], position[3] = {at >> 20, at >> 10 & 1023, at & 1023};
      int64_t voxel;
      if (at < 0) continue;
      const bool inside = halo_voxel(g, first, position, n, voxel);
      f(slot, voxel, inside);
    }
  };
  // x and gy of tile `index` into stage s.
  const auto load = [&](int64_t index, int s) {
    int first[3];
    const int64_t n = tile_place(g, tile, index, first);
    unsigned char* const halo = stages + s * stage_bytes;
    unsigned char* const rows = halo + slots * kSlot;
    int number = b.c0 / kPerPiece + own_piece;
    const GatherInput::Part of = x.at(number);
    const int channel = number * kPerPiece;
    const T* const from = static_cast<const T*>(of.x) + int64_t(b.group) * g.inputs + channel;
    if (x.normalises()) fill_norms<T>(x, b.c0 / kPerPiece, n, norms + s * kNorms, int(threadIdx.x));
    for_slots(n, first, [&](int slot, int64_t voxel, bool inside) {
      copy_piece(halo + row_place<T>(slot, own_piece), from + voxel * of.channels, static_cast<const T*>(of.x),
                 inside ? of.used - channel : 0, x.whole);
    });
    for (int item = int(threadIdx.x); item < voxels * kRows * 4; item += kThreads) {
      const int piece = item % 4, row = item / 4 % kRows, v = item / 4 / kRows, k = b.k0 + (row * 4 + piece) * kPerPiece;
      int64_t voxel = n;
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        const int j = first[a] + tile.along(a, v);
        inside = inside && j < g.axis[a].count;
        voxel = voxel * g.axis[a].out + j;
      }
      copy_piece(rows + row_place<T>(row * voxels + v, piece), gy + voxel * filters + int64_t(b.group) * g.outputs + k, gy,
                 inside ? g.outputs - k : 0, whole_gy);
    }
  };

  // x of the tile, where it has arrived: the pieces that this thread has copied.
  const auto normalise = [&](int64_t index, int s) {
    int first[3], number = b.c0 / kPerPiece + own_piece;
    const GatherInput::Part of = x.at(number);
    if (!of.coefficients) return;
    const int64_t n = tile_place(g, tile, index, first);
    for_slots(n, first, [&](int slot, int64_t, bool inside) {
      if (inside) normalise_piece<T>(stages + s * stage_bytes + row_place<T>(slot, own_piece), norms + s * kNorms, own_piece, of.slope);
    });
  };

  float sum[kTaps][kM][2][4] = {};
  if (blockIdx.x < tiles) load(blockIdx.x, 0);
  cp_async_commit();
  if (x.normalises()) __syncthreads();  // its norms are seen
  int s = 0;
  for (int64_t index = blockIdx.x; index < tiles; index += gridDim.x, s ^= 1) {
    if (index + gridDim.x < tiles) load(index + gridDim.x, s ^ 1);
    cp_async_commit();
    cp_async_wait<1>();
    if (x.normalises()) normalise(index, s);
    __syncthreads();
    const unsigned char* const halo = stages + s * stage_bytes;
    const unsigned char* const rows = halo + slots * kSlot;
    for (int v = share * kDepth; v < voxels; v += kShares * kDepth) {
      uint32_t a[kM][4];
      if constexpr (sizeof(T) == 2) {
        const int piece = lane / 8 % 2, row = side_k * voxels + v + lane / 16 * 8 + lane % 8;
        for (int m = 0; m < kM; ++m) ldmatrix_x4_transposed(a[m], SharedAddress(rows) + swizzled(row, 2 * m + piece));
        const int slot = tile.slot(v + lane / 8 % 2 * 8 + lane % 8);
#pragma unroll
        for (int i = 0; i < kTaps; ++i) {
          uint32_t both[4];
          ldmatrix_x4_transposed(both, SharedAddress(halo) + swizzled(slot + shift[i], side_c * 2 + lane / 16));
#pragma unroll
          for (int m = 0; m < kM; ++m) {
            multiply_add<T>(sum[i][m][0], a[m], both[0], both[1]);
            multiply_add<T>(sum[i][m][1], a[m], both[2], both[3]);
          }
        }
      } else {
        const auto bits_at = [](const unsigned char* row, int slot, int channel) {
          const float f = *reinterpret_cast<const float*>(row + row_place<T>(slot, channel / 4) + channel % 4 * 4);
          return kExact ? __float_as_uint(f) : tf32_of(f);
        };
        for (int r = 0; r < 4; ++r) a[0][r] = bits_at(rows, side_k * voxels + v + lane % 4 + r / 2 * 4, lane / 4 + r % 2 * 8);
        uint32_t a_rest[4];
        if constexpr (kExact) split_fragment(a[0], a_rest);
        const int slot[2] = {tile.slot(v + lane % 4), tile.slot(v + lane % 4 + 4)};
#pragma unroll
        for (int i = 0; i < kTaps; ++i)
#pragma unroll
          for (int n = 0; n < 2; ++n) {
            uint32_t b[2], b_rest[2];
            for (int r = 0; r < 2; ++r) b[r] = bits_at(halo, slot[r] + shift[i], lane / 4 + n * 8);
            if constexpr (kExact) {
              split_fragment(b, b_rest);
              multiply_add_exactly(sum[i][0][n], a[0], a_rest, b, b_rest);
            } else {
              multiply_add<T>(sum[i][0][n], a[0], b[0], b[1]);
            }
          }
      }
    }
    __syncthreads();
  }
  cp_async_wait<0>();

  const int inputs = g.inputs / joined, outputs = g.outputs / joined;  // of a group of the convolution
  float* into = partial + (int64_t(blockIdx.x) * kShares + share) * filters * g.taps * inputs;
#pragma unroll
  for (int i = 0; i < kTaps; ++i)
#pragma unroll
    for (int m = 0; m < kM; ++m)
#pragma unroll
      for (int n = 0; n < 2; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int k = b.k0 + side_k * kWarpK + m * 16 + lane / 4 + e / 2 * 8, c = b.c0 + side_c * 16 + n * 8 + lane % 4 * 2 + e % 2;
          const bool own = joined == 1 || k / outputs == c / inputs;
          if (i < b.taps && k < g.outputs && c < g.inputs && own)
            into[((int64_t(b.group) * g.outputs + k) * g.taps + b.tap + i) * inputs + c % inputs] = sum[i][m][n][e];
        }
}

template <class T, int kSideK, bool kExact>
void run_weights(Cuda on, const MmaWeightsPlan& p, int joined, const GatherInput& x, const T* gy, float* gw) {
  constexpr int kShares = 4 / (kSideK * weight_side_c(sizeof(T)));
  const ConvGather& g = p.part;
  const int64_t weights = int64_t(g.outputs) * g.groups * g.taps * (g.inputs / joined);
  if (p.shares == 0) return total_weights(on, weights, 0, nullptr, gw);
  const Scratch partial(on, p.shares * kShares * weights * int64_t(sizeof(float)));
  const Grid grid{.x = p.shares, .y = g.groups * p.blocks_k * p.blocks_c, .z = p.tap_groups, .threads = kThreads, .shared = p.shared};
  launch<conv3d_mma_weights_kernel<T, kSideK, kExact>>(on, grid, g, p.tile, p.tiles, p.part_step, p.apart, joined,
                                                       whole_pieces(g.outputs, gy), x, gy, partial.as<float>());
  total_weights(on, weights, p.shares * kShares, partial.as<float>(), gw);
}

}  // namespace

template <class T>
void conv_weights_mma(Cuda on, const ConvGather& g, int joined, bool exact, const GatherInput& x, const T* gy, float* gw) {
  const MmaWeightsPlan p = mma_weights_plan(g, sizeof(T));
  const auto go = [&]<int kSideK>(Width<kSideK>) {
    if constexpr (dtype_of<T> == DType::f32)
      if (exact) return run_weights<T, kSideK, true>(on, p, joined, x, gy, gw);
    run_weights<T, kSideK, false>(on, p, joined, x, gy, gw);
  };
  if constexpr (most_weight_side_k(sizeof(T)) == 4)
    if (p.side_k == 4) return go(Width<4>{});
  p.side_k == 2 ? go(Width<2>{}) : go(Width<1>{});
}

#define X(T) template void conv_weights_mma(Cuda, const ConvGather&, int, bool, const GatherInput&, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
