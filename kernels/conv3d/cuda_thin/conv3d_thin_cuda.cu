// Convolutions of few input channels: see conv3d_thin.cuh.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin_moments.cuh"

namespace voxgrad {
namespace {

struct ThinUnit {
  int word = 0;       // from that of tap 0
  uint32_t mask = 0;  // of what the row has of it
};

// Weights as the lanes of a warp want them: {blocks of columns, steps, eights, lanes, 2} words.
template <class T, int kEights>
__global__ void conv3d_thin_pack_kernel(ConvGather g, ThinPlan plan, WeightPack p, int column_blocks, const float* w, uint32_t* packed) {
  for (int64_t i : grid_stride(int64_t(column_blocks) * plan.steps * kEights * 64)) {
    const int half = int(i % 2), lane = int(i / 2 % 32), j = int(i / 64 % kEights), step = int(i / 64 / kEights % plan.steps);
    const int block = int(i / 64 / kEights / plan.steps), unit = step * 8 + half * 4 + lane % 4;
    const int row = block * plan.columns + thin_channel<T, kEights>(j, lane / 8, lane / 4 % 2);
    uint32_t word = 0;
    if (unit < plan.tile.units()) {
      const ThinRead read = plan.tile.read_of(unit);
      const int tap = plan.tile.tap_of(read), more = plan.tile.taps[2] - read.tap[2];  // of the line, this one included
      constexpr int kEach = sizeof(T) == 2 ? 2 : 1;
      for (int e = 0; e < kEach; ++e) {
        const bool taps = plan.tile.ahead > 0;  // or channels
        const int channel = taps ? read.part : read.part * kEach + e;
        if (taps ? e < more && e < plan.tile.taps_of_unit : channel < g.inputs)
          word |= thin_bits(T(weight_of(g, p, w, 0, tap + (taps ? e : 0), row, channel))) << 16 * e;
      }
    }
    packed[i] = word;
  }
}

// Block x: walks over tiles of all samples; y: blocks of 8 kEights output channels. A warp makes four lines of 16 outputs.
template <class T, int kEights>
__global__ void __launch_bounds__(256, 2)
    conv3d_thin_kernel(ConvGather g, ThinPlan plan, int64_t tiles, const T* x, const uint32_t* w, GatherOutput<T> out) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  constexpr int kLines = kThinLinesPerWarp, kStored = 2 * kEights < kPackWidth<T> ? 2 * kEights : kPackWidth<T>;
  const ThinTile& tile = plan.tile;
  uint4* const weights = reinterpret_cast<uint4*>(memory);
  ThinUnit* const units = reinterpret_cast<ThinUnit*>(memory + plan.steps * plan.columns * 32);
  ThinSlot* const slots = reinterpret_cast<ThinSlot*>(units + plan.steps * 8);
  uint32_t* const words = reinterpret_cast<uint32_t*>(slots + tile.slots());
  ThinLeft<8 * kEights>& left = *reinterpret_cast<ThinLeft<8 * kEights>*>(words + tile.words());
  fill_slots(g, tile, slots);

  const uint4* const from = reinterpret_cast<const uint4*>(w) + int64_t(blockIdx.y) * plan.steps * plan.columns * 2;
  for (int i = int(threadIdx.x); i < plan.steps * plan.columns * 2; i += int(blockDim.x))
    cp_async_16(SharedAddress(weights + i), from + i, true);
  cp_async_commit();
  for (int u = int(threadIdx.x); u < plan.steps * 8; u += int(blockDim.x)) {
    // Beyond the last unit the row has zeros, read where the last one is, so that no other bank is asked.
    const int here = u < tile.units() ? u : tile.units() - 1, more = tile.taps[2] - tile.read_of(here).tap[2];
    const bool half = tile.ahead > 0 && (more == 1 || tile.taps_of_unit == 1);
    units[u] = {tile.word_of(here), here < u ? 0u : half ? 0xffffu : 0xffffffffu};
  }
  const int column0 = int(blockIdx.y) * plan.columns;
  const uint2* const fragments = reinterpret_cast<const uint2*>(weights);
  cp_async_wait<0>();
  const bool leaves = out.moments.parts || out.sums.parts;
  for (int64_t index = blockIdx.x; index < tiles; index += gridDim.x) {
    int first[3];
    const int64_t n = tile_place(g, tile.extent, index, first);
    __syncthreads();
    if (leaves && index >= gridDim.x) add_left(left, int(blockDim.x) / 32, index - gridDim.x, column0, g.outputs, out);
    load_thin_halo<T, false>(g, tile, slots, n, first, x, words);
    __syncthreads();
    // Of each tile anew: registers are few.
    const int thread = thread_read_anew(), warp = thread / 32, lane = thread % 32, t_column = lane % 4;
    int base[kLines];
#pragma unroll
    for (int i = 0; i < kLines; ++i) base[i] = tile.first_word(warp * kLines + i) + thin_lane(lane, false).output;
    float sum[kLines][kEights][4];
#pragma unroll
    for (int j = 0; j < kEights; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int m = column0 + thin_channel<T, kEights>(j, t_column, e);
        const float added = m < g.outputs ? out.added(m) : 0.f;
#pragma unroll
        for (int i = 0; i < kLines; ++i) sum[i][j][e] = sum[i][j][2 + e] = added;
      }
    for (int s = 0; s < plan.steps; ++s) {
      const ThinUnit low = units[s * 8 + thin_lane(lane, false).unit], high = units[s * 8 + 4 + thin_lane(lane, false).unit];
      uint32_t a[kLines][4];
#pragma unroll
      for (int i = 0; i < kLines; ++i) {
        a[i][0] = words[base[i] + low.word] & low.mask;
        a[i][1] = words[base[i] + 8 + low.word] & low.mask;
        a[i][2] = words[base[i] + high.word] & high.mask;
        a[i][3] = words[base[i] + 8 + high.word] & high.mask;
      }
#pragma unroll
      for (int j = 0; j < kEights; ++j) {
        const uint2 b = fragments[(s * kEights + j) * 32 + lane];
#pragma unroll
        for (int i = 0; i < kLines; ++i) multiply_add<T>(sum[i][j], a[i], b.x, b.y);
      }
    }
    const int64_t sample = n * g.out_count() * g.outputs;
#pragma unroll
    for (int i = 0; i < kLines; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int at = thin_element(g, tile, first, thread, i, half);
        if (at < 0) continue;
#pragma unroll
        for (int j0 = 0; j0 < kEights; j0 += kStored / 2) {
          const int m = column0 + thin_channel<T, kEights>(j0, t_column, 0);
          constexpr int kEach = 4 / int(sizeof(T));
          union {
            uint32_t word[kStored / kEach];
            Pack<T, kStored> pack;
          } sums;
#pragma unroll
          for (int e = 0; e < kStored; e += 2) {
            const float low = sum[i][j0 + e / 2][half * 2], high = sum[i][j0 + e / 2][half * 2 + 1];
            if constexpr (kEach == 2) sums.word[e / 2] = pair_of<T>(low, high);
            else sums.word[e] = __float_as_uint(low), sums.word[e + 1] = __float_as_uint(high);
          }
          if (m < g.outputs) out.store(sums.pack, m, sample + at + m, g.outputs - m);
        }
      }
    }
    if (!leaves) continue;
    if (out.sums.parts) leave_sums<T, kEights>(g, tile, n, first, sum, column0, out, left);
    else leave_moments<T, kEights>(g, tile, n, first, sum, column0, out, left);
  }
  if (!leaves) return;
  __syncthreads();
  const int64_t rounds = (tiles - blockIdx.x + gridDim.x - 1) / gridDim.x;
  add_left(left, int(blockDim.x) / 32, blockIdx.x + (rounds - 1) * gridDim.x, column0, g.outputs, out);
}

template <class T, int kEights>
void run_thin(Cuda on, const ConvGather& g, const ThinPlan& plan, const WeightPack& pack, const T* x, const float* w,
              const GatherOutput<T>& out) {
  constexpr int kColumns = 8 * kEights;
  const int blocks = (g.outputs + kColumns - 1) / kColumns;
  const int64_t words = int64_t(blocks) * plan.steps * kEights * 64;
  const Scratch packed(on, words * int64_t(sizeof(uint32_t)));
  launch<conv3d_thin_pack_kernel<T, kEights>>(on, grid_over(words), g, plan, pack, blocks, w, packed.as<uint32_t>());
  const int64_t tiles = thin_tiles(g, plan.tile);
  const Grid grid{.x = thin_blocks(plan.tile, tiles, cuda::chip_of(on).multiprocessors), .y = blocks,
                  .threads = plan.tile.lines() / kThinLinesPerWarp * 32, .shared = plan.shared};
  with_moments(on, g, out, tiles, [&](const GatherOutput<T>& to) {
    launch<conv3d_thin_kernel<T, kEights>>(on, grid, g, plan, tiles, x, packed.as<uint32_t>(), to);
  });
}

}  // namespace

template <class T>
void conv_gather_thin(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w,
              const GatherOutput<T>& out) {
  // Statistics are of parts that are tiles: the same ones for any batch and device.
  const bool summed = out.statistics || out.sums.totals;
  const ThinPlan plan = thin_plan(g, sizeof(T), summed ? 0 : cuda::chip_of(on).multiprocessors);
  plan.columns == 16 ? run_thin<T, 2>(on, g, plan, pack, x, w, out) : run_thin<T, 4>(on, g, plan, pack, x, w, out);
}

#define X(T) template void conv_gather_thin(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
