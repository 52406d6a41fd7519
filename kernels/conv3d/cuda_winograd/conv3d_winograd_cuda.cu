// Winograd's F(2, 3) along H by mma.sync: two outputs of a column of H, from the rows x0 .. x3 of x and the taps g0 .. g2, are
//   y0 = m1 + m2 + m0    m1 = (x1 + x2) (g0 + g1 + g2) / 2    m0 = (x0 - x2) g0
//   y1 = m1 - m2 + m3    m2 = (x2 - x1) (g0 - g1 + g2) / 2    m3 = (x3 - x1) g2
// four products for six. Weights are transformed beforehand. A warp has eight outputs along H of eight along W, so that a row of x is one 8
// x 8 matrix of ldmatrix for each eight channels, and transforms are one packed sum or difference of two registers: rounded once, as the
// f32 sum of two 16-bit values would be. Sums of the inner frequencies, m1 and m2, and of y0 and y1 take turns in the same registers: of a
// chunk of channels first all taps of one kind are multiplied and then, after a change between both, those of the other; of the next chunk
// the other way about.
#include "kernels/conv3d/cuda_winograd/conv3d_winograd.cuh"

#include "kernels/conv3d/cuda/conv3d_mma_parts.cuh"
#include "kernels/conv3d/cuda/conv3d_products.cuh"

namespace voxgrad {
namespace {

constexpr int kWide = 8, kHigh = 8;                              // outputs of a warp along W and H
constexpr int kLine = kWide + 2, kPlane = (kHigh + 2) * kLine;   // slots of 64 bytes of channels
constexpr int kTaps = 9, kHalfSteps = 2 * kTaps, kSteps = 2 * kHalfSteps;  // along D and W; of a chunk: both kinds, two times 16 channels
constexpr int kThreads = 128, kWarpColumns = 64;

// A block is so many planes of 8 x 8 outputs, each of its own warps, times 64 output channels for each of these.
template <int kDeep>
struct Block {
  static constexpr int kWarpsN = 4 / kDeep, kColumns = kWarpsN * kWarpColumns, kVoxels = kDeep * kHigh * kWide;
  static constexpr int kSlots = (kDeep + 2) * kPlane, kHalo = kSlots * kSlot, kTable = (kSlots * 4 + 127) / 128 * 128;
  static constexpr int kPasses = (kSlots * kPieces + kThreads - 1) / kThreads;  // of all threads, a piece each
  static constexpr int kStages = kDeep == 4 ? 4 : 3, kStage = kColumns * kSlot;
  static constexpr int kResult = kVoxels * (kColumns + 8) * 2;
  static_assert(kPasses + kStages <= kSteps);

  static int64_t shared(int chunks) {
    const int64_t work = kTable + (chunks > 1 ? 2 : 1) * int64_t(kHalo) + kStages * kStage;
    return work > kResult ? work : kResult;
  }
};

// Where piece p of a slot lies: eight neighbours along W in different banks, whatever line and plane.
__device__ inline int place_of(int slot, int piece) { return slot * kSlot + ((piece ^ (slot % kLine >> 1 & 3)) << 4); }

// The outputs of a block as its warps have them: of each plane two sixteens of pairs, and of these first y0 and then y1.
template <int kDeep>
struct PairOutputs {
  const ConvGather& g;
  const MmaBlock& block;
  __device__ int64_t voxel(int v) const {
    const int j[3] = {block.first[0] + v / 64, block.first[1] + v / 32 % 2 * 4 + v / 8 % 2 * 2 + v / 16 % 2, block.first[2] + v % 8};
    return output_voxel(g, block.n, j, false);
  }
  __device__ int inside() const { return outputs_inside(g, {kDeep, kHigh, kWide}, block); }
};

// Weights {chunks, halves, taps, two times 16 channels, rows, two frequencies, 16}: in the order in which a block multiplies them, the
// outer frequencies in the first half of odd chunks and in the second one of others.
template <class T>
__global__ void conv3d_winograd_pack_kernel(ConvGather g, WeightPack p, int chunks, int rows, const float* w, T* packed) {
  for (int64_t i : grid_stride(int64_t(chunks) * kSteps * rows * kMmaChunk<T>)) {
    const int e = int(i % kMmaChunk<T>), row = int(i / kMmaChunk<T> % rows), step = int(i / kMmaChunk<T> / rows);
    const int c = step / kSteps, tap = step % kHalfSteps / 2, channel = c * kMmaChunk<T> + step % 2 * 16 + e % 16;
    const bool outer = (step / kHalfSteps ^ c) & 1, second = e >= 16;
    const auto of = [&](int h) { return weight_of(g, p, w, 0, (tap / 3 * 3 + h) * 3 + tap % 3, row, channel); };
    const float g0 = of(0), g1 = of(1), g2 = of(2);
    packed[i] = T(outer ? (second ? g2 : g0) : (g0 + g2 + (second ? -g1 : g1)) * 0.5f);
  }
}

// t: of the rows of four pairs, lines that begin with row 0 (outer) or 1 in twos, both frequencies as two fragments of two pairs each.
template <class T, bool kOuter>
__device__ __forceinline__ void transform(const uint32_t (&line)[kOuter ? 5 : 4][4], uint32_t (&t)[2][2][4]) {
#pragma unroll
  for (int q = 0; q < 4; ++q)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int r = half * 2, at = half * 2 + q % 2;
      if constexpr (kOuter) {
        t[0][q / 2][at] = pair_difference<T>(line[q][r], line[q + 1][r]);
        t[1][q / 2][at] = pair_difference<T>(line[q + 1][r + 1], line[q][r + 1]);
      } else {
        t[0][q / 2][at] = pair_sum<T>(line[q][r], line[q][r + 1]);
        t[1][q / 2][at] = pair_difference<T>(line[q][r + 1], line[q][r]);
      }
    }
}

// Of a step: x at the halo's address of this lane, weights at that of its columns, whose pieces of the second frequency are 32 bytes on.
template <class T, bool kOuter>
__device__ __forceinline__ void multiply(float (&sum)[4][8][4], SharedAddress x, SharedAddress weights, int column_piece) {
  constexpr int kLines = kOuter ? 5 : 4;
  uint32_t line[kLines][4], t[2][2][4];
#pragma unroll
  for (int m = 0; m < kLines; ++m) ldmatrix_x4(line[m], x + (2 * m + !kOuter) * kLine * kSlot);
  transform<T, kOuter>(line, t);
#pragma unroll
  for (int frequency = 0; frequency < 2; ++frequency)
#pragma unroll
    for (int j = 0; j < kWarpColumns / 16; ++j) {
      uint32_t b[4];
      ldmatrix_x4(b, weights + (j * 16 * kSlot + (column_piece ^ 2 * frequency) * 16));
#pragma unroll
      for (int f = 0; f < 2; ++f) {
        multiply_add<T>(sum[2 * f + frequency][2 * j], t[frequency][f], b[0], b[1]);
        multiply_add<T>(sum[2 * f + frequency][2 * j + 1], t[frequency][f], b[2], b[3]);
      }
    }
}

// From m1 and m2 to y0 and y1, or back.
template <bool kToOutputs>
__device__ __forceinline__ void change(float (&sum)[4][8][4]) {
#pragma unroll
  for (int f = 0; f < 2; ++f)
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float &a = sum[2 * f][n][e], &b = sum[2 * f + 1][n][e];
        const float first = a, second = kToOutputs ? b : b * 0.5f;
        a = kToOutputs ? first + second : fmaf(first, 0.5f, second);
        b = kToOutputs ? first - second : fmaf(first, 0.5f, -second);
      }
}

// Block x: tiles of all samples; y: kColumns output channels.
template <class T, int kDeep>
__global__ void __launch_bounds__(kThreads, 2)
    conv3d_winograd_mma_kernel(ConvGather g, int chunks, int rows, const T* x, const T* w, GatherOutput<T> out) {
  using B = Block<kDeep>;
  VOXGRAD_DYNAMIC_SHARED(memory);
  int* const table = reinterpret_cast<int*>(memory);
  unsigned char* const halos = memory + B::kTable;
  unsigned char* const stages = halos + (chunks > 1 ? 2 : 1) * B::kHalo;
  const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32, warp_m = warp % kDeep, warp_n = warp / kDeep;
  MmaBlock block{.tile = blockIdx.x, .column0 = int(blockIdx.y) * B::kColumns};
  block.n = tile_place(g, {kDeep, kHigh, kWide}, block.tile, block.first);
  x += block.n * g.axis[0].in * g.axis[1].in * g.axis[2].in * g.inputs;
  for (int slot = thread; slot < B::kSlots; slot += kThreads) {
    int voxel;
    const bool inside = halo_voxel(g, block.first, {slot / kPlane, slot % kPlane / kLine, slot % kLine}, 0, voxel);
    table[slot] = inside ? voxel : -1;
  }
  __syncthreads();

  // Of each thread the same piece of every 32nd slot and row.
  const int own = thread % kPieces, own_channel = own * kPackWidth<T>;
  const auto load_halo = [&](int c, int pass) {
    const int slot = pass * (kThreads / kPieces) + thread / kPieces;
    if (slot >= B::kSlots) return;
    const int voxel = table[slot], channel = c * kMmaChunk<T> + own_channel;
    const bool there = voxel >= 0 && channel < g.inputs;
    cp_async_16(SharedAddress(halos + c % 2 * B::kHalo + place_of(slot, own)), there ? x + int64_t(voxel) * g.inputs + channel : x, there);
  };
  const T* next_weights = w + int64_t(block.column0) * kMmaChunk<T> + thread * kPackWidth<T>;
  int steps_left = chunks * kSteps;
  const SharedAddress own_stage(stages + swizzled(thread / kPieces, own));
  const auto load_weights = [&](int stage) {
    if (--steps_left < 0) return;
    const SharedAddress into = own_stage + stage * B::kStage;
#pragma unroll
    for (int row = 0; row < B::kColumns; row += kThreads / kPieces)
      cp_async_16(into + row * kSlot, next_weights + row * kMmaChunk<T>, true);
    next_weights += int64_t(rows) * kMmaChunk<T>;
  };

  const int lane_slot = warp_m * kPlane + lane / 8 % 2 * kLine, lane_place = lane % 8;
  const int column = warp_n * kWarpColumns + lane / 16 * 8 + lane % 8, column_piece = lane / 8 % 2 ^ (column / 2 % 4);
  float sum[4][8][4] = {};
  for (int pass = 0; pass < B::kPasses; ++pass) load_halo(0, pass);
  for (int s = 0; s < B::kStages - 1; ++s) {
    load_weights(s);
    cp_async_commit();
  }
  int stage = 0;
  const auto multiply_half = [&]<int kOuter>(int c, int half, Width<kOuter>) {
    const SharedAddress halo(halos + c % 2 * B::kHalo);
    int pass = half * kHalfSteps;
#pragma unroll 1
    for (int d = 0; d < 3; ++d)
#pragma unroll 1
      for (int place = lane_place; place < lane_place + 3; ++place) {
        const int at = (lane_slot + d * kPlane + place) * kSlot + ((lane / 16 ^ (place >> 1 & 3)) << 4);
#pragma unroll
        for (int k = 0; k < 2; ++k, ++pass) {
          cp_async_wait<B::kStages - 2>();
          __syncthreads();
          load_weights(stage == 0 ? B::kStages - 1 : stage - 1);
          if (pass < B::kPasses && c + 1 < chunks) load_halo(c + 1, pass);
          cp_async_commit();
          const SharedAddress weights(stages + stage * B::kStage + column * kSlot);
          multiply<T, kOuter == 1>(sum, halo + (at ^ 32 * k), weights, column_piece);
          if (++stage == B::kStages) stage = 0;
        }
      }
  };
  for (int c = 0; c < chunks; ++c)
    for (int half = 0; half < 2; ++half) {
      const bool outer = (half ^ c) & 1;
      if (outer) {
        if (half) change<true>(sum);
        multiply_half(c, half, Width<1>{});
      } else {
        if (half) change<false>(sum);
        multiply_half(c, half, Width<0>{});
      }
    }
  if (chunks % 2 == 0) change<true>(sum);
  cp_async_wait<0>();
  store_outputs<T, B::kVoxels, B::kColumns, kDeep, B::kWarpsN>(g, PairOutputs<kDeep>{g, block}, block, memory, sum, out);
}

int ceil_div(int a, int b) { return (a + b - 1) / b; }
// Planes of a block: two for twice as many channels take 1.7 times the bytes of weights and halos for an output.
int planes_of(const ConvGather& g) { return g.axis[0].count > 2 || ceil_div(g.outputs, 64) % 2 ? 4 : 2; }
int64_t tiles_of(const ConvGather& g, int planes) {
  return g.n * ceil_div(g.axis[0].count, planes) * ceil_div(g.axis[1].count, kHigh) * ceil_div(g.axis[2].count, kWide);
}

template <class T, int kDeep>
void run_winograd(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  const int chunks = ceil_div(g.inputs, kMmaChunk<T>), blocks = ceil_div(g.outputs, Block<kDeep>::kColumns);
  const int rows = blocks * Block<kDeep>::kColumns;
  const int64_t count = int64_t(chunks) * kSteps * rows * kMmaChunk<T>, tiles = tiles_of(g, kDeep);
  const Scratch packed(on, count * int64_t(sizeof(T)));
  launch<conv3d_winograd_pack_kernel<T>>(on, grid_over(count), g, pack, chunks, rows, w, packed.as<T>());
  const Grid grid{.x = tiles, .y = blocks, .threads = kThreads, .shared = Block<kDeep>::shared(chunks)};
  with_moments(on, g, out, tiles, [&](const GatherOutput<T>& to) {
    launch<conv3d_winograd_mma_kernel<T, kDeep>>(on, grid, g, chunks, rows, x, packed.as<T>(), to);
  });
}

}  // namespace

bool winograd_is_possible(const ConvGather& g, int element) {
  bool possible = element == 2 && g.groups == 1 && g.placed == 1 && g.inputs % 8 == 0 && g.outputs > 32 &&
                  int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in <= INT32_MAX;
  for (const GatherAxis& a : g.axis) possible = possible && a.taps == 3 && a.in_step == 1 && a.tap_step == 1 && a.step == 1;
  return possible;
}

template <class T>
void conv_gather_winograd(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  if constexpr (sizeof(T) == 2) {
    if (planes_of(g) == 4) run_winograd<T, 4>(on, g, pack, x, w, out);
    else run_winograd<T, 2>(on, g, pack, x, w, out);
  }
}
#define X(T) template void conv_gather_winograd(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

ConvTraffic winograd_traffic(const ConvGather& g, int element) {
  const int planes = planes_of(g), columns = 256 / planes, blocks = ceil_div(g.outputs, columns);
  const double halos = double(g.n) * g.halo_voxels({planes, kHigh, kWide}) * g.inputs * element;
  const double packed = double(ceil_div(g.inputs * element, kSlot)) * kSteps * blocks * columns * kSlot;
  return {.activations = halos * blocks, .halos = halos,
          .others = packed * double(tiles_of(g, planes) + 1) + double(g.out_voxels()) * g.outputs * element};
}

}  // namespace voxgrad
