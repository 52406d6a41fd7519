// The weight gradient by wgmma on sm_90a: for every tap, {input channels} x {output channels} = the sum over voxels of x gy. One warpgroup
// loads tiles of both, two multiply (conv3d_wgmma_weights.cuh); what blocks have summed is added in a fixed order afterwards.
#include "core/cuda/wgmma.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_weights_parts.cuh"

namespace voxgrad {
namespace {

template <bool kBoxes>
using WeightRegisters = WgmmaRegisters<kBoxes ? 72 : 104, kBoxes ? 216 : 200>;
constexpr int kWeightsThreads = 128 * (1 + kWgmmaConsumers);
[[maybe_unused]] constexpr int kTileBarrier = 1, kSummingWarps = 4 * kWgmmaConsumers;

// Sixteen rows of a product of each of kBlocks blocks, for the 32 bytes of voxels from v on: channels of x at a tap, which lie `from` bytes
// behind the piece of the first voxel; as boxes from a piece of 16 bytes on, which a swizzle has moved.
template <class T, int kBlocks, bool kBoxes>
__device__ void load_rows(const WgmmaWeightsPlan& p, const unsigned char* halo, const int (&from)[kBlocks], int first_piece, int v,
                          uint32_t (&a)[kBlocks][4]) {
  const int lane = int(threadIdx.x) % 32;
  if constexpr (sizeof(T) == 2) {
    const int slot = p.tile.slot(v + lane / 16 * 8 + lane % 8), piece = first_piece + lane / 8 % 2;
    const SharedAddress first = SharedAddress(halo) + (kBoxes ? slot * kSlot : (slot + piece * p.plane) * 16);
#pragma unroll
    for (int m = 0; m < kBlocks; ++m) {
      const SharedAddress row = first + from[m];
      ldmatrix_x4_transposed(a[m], kBoxes ? row + (piece << 4 ^ int(shared_offset(row) >> 3 & 0x30)) : row);
    }
  } else {
    const unsigned char* const channel = halo + lane / 16 * p.plane * 16 + lane / 4 % 4 * 4;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const unsigned char* const first = channel + p.tile.slot(v + lane % 4 + i * 4) * 16;
#pragma unroll
      for (int m = 0; m < kBlocks; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          a[m][i * 2 + half] = tf32_of(*reinterpret_cast<const float*>(first + from[m] + half * 2 * p.plane * 16));
    }
  }
}

// The sums of a warpgroup: kBlocks blocks of 64 rows, from block `first_block` of the thread block on.
template <class T, int kColumns, int kLines, int kBlocks, bool kBoxes>
__device__ void sum_weights(const WgmmaWeightsPlan& p, const ConvGather& g, int first_block,
                            const unsigned char* stages, SharedAddress barriers, float* partial) {
  constexpr int kWide = kColumns * kLines, kDepth = kMmaStep / int(sizeof(T)), kTapsOfBlock = sizeof(T) == 2 ? 2 : 4;
  const int half = sizeof(T) == 2 ? int(threadIdx.x) / 32 % 2 : 0;  // which 16 channels
  const auto local_tap = [&](int thread, int m) {
    const int warp = thread / 32 % 4;
    return (first_block + m) * kTapsOfBlock + (sizeof(T) == 2 ? warp / 2 : warp);
  };
  int from[kBlocks];
#pragma unroll
  for (int m = 0; m < kBlocks; ++m) {
    const WgmmaSums s = WgmmaSums::of<T>(p);
    const int tap = local_tap(int(threadIdx.x), m);
    const int t = s.tap0 + (tap < s.taps ? tap : s.taps - 1), per_plane = p.cut.axis[1].taps * p.cut.axis[2].taps;
    const int shift = p.tile.shift(t / per_plane, t / p.cut.axis[2].taps % p.cut.axis[1].taps, t % p.cut.axis[2].taps);
    from[m] = shift * (kBoxes ? kSlot : 16);
  }
  // Sums of 16-bit types begin as zeros, those of f32 with products that ignore them: else ptxas lets products wait for each other (C7513,
  // C7515).
  float sum[kBlocks][kWide / 2];
  bool begun = sizeof(T) == 2;
#pragma unroll
  for (int m = 0; m < kBlocks; ++m)
#pragma unroll
    for (int i = 0; i < kWide / 2; ++i)
      if (sizeof(T) == 2) sum[m][i] = 0.f;
  const int stage_bytes = p.stage_bytes(sizeof(T)), voxels = p.tile.voxels(), plane_bits = p.tile.bits[0], line_bits = p.tile.bits[1];
  const uint64_t b0 = sizeof(T) == 2 ? matrix_descriptor(SharedAddress(stages + p.halo_bytes()), 128, p.pitch * 16)
                                     : matrix_descriptor(SharedAddress(stages + p.halo_bytes()), p.pitch * 16, 128);
  Ring ring{p.stages};
  int used = -1;  // the stage that products under way read
  for (int64_t index = blockIdx.y; index < p.tiles; index += p.shares, ring.next()) {
    transactions_wait(barriers + ring.at * 8, ring.round);
    const unsigned char* const halo = stages + ring.at * stage_bytes;
    const uint64_t b = b0 + ring.at * stage_bytes / 16;
    const auto multiply = [&](int v, uint32_t(&a)[kBlocks][4]) {
      load_rows<T, kBlocks, kBoxes>(p, halo, from, half * 2, v, a);
      int at = sizeof(T) == 2 ? v : v / 4 * p.pitch;
      if constexpr (kLines > 1) {
        const int line = (v >> plane_bits) * p.gy_lines + (v >> line_bits & (p.tile.extent[1] - 1));
        at = line * (kColumns / 8) * p.pitch + (v & (p.tile.extent[2] - 1));
      }
      wgmma_fence();
#pragma unroll
      for (int m = 0; m < kBlocks; ++m) wgmma_held<T>(sum[m], a[m], b + at, begun);
      wgmma_commit();
      wgmma_wait<1>();
      begun = true;
    };
    uint32_t a[2][kBlocks][4];
    for (int v = 0; v < voxels; v += 2 * kDepth) {
      multiply(v, a[0]);
      if (v == 0 && used >= 0 && int(threadIdx.x) % 32 < p.cluster)
        transactions_arrive_at(barriers + (p.stages + used) * 8, int(threadIdx.x) % 32);
      multiply(v + kDepth, a[1]);
    }
    used = ring.at;
  }
  wgmma_wait<0>();

  // Computed anew, as registers are few.
  const WgmmaSums s = WgmmaSums::of<T>(p);
  const int thread = thread_read_anew(), lane = thread % 32, c_of_half = sizeof(T) == 2 ? thread / 32 % 2 * 16 : 0;
  float* const into = partial + int64_t(blockIdx.y) * g.outputs * g.groups * g.taps * g.inputs;
#pragma unroll
  for (int m = 0; m < kBlocks; ++m) {
    const int local = local_tap(thread, m), t = s.tap0 + local;
    if (local >= s.taps) continue;
#pragma unroll
    for (int i = 0; i < kWide / 2; ++i) {
      const int n = i / 4 * 8 + lane % 4 * 2 + i % 2, k = s.k0 + n % kColumns, c = s.c0 + c_of_half + lane / 4 + i % 4 / 2 * 8;
      // Columns of the next line of gy meet x one tap earlier.
      const int tap = kLines == 1 ? t : (t / g.axis[2].taps * kLines + kLines - 1 - n / kColumns) * g.axis[2].taps + t % g.axis[2].taps;
      if (k < g.outputs && c < g.inputs) into[((int64_t(s.group) * g.outputs + k) * g.taps + tap) * g.inputs + c] = sum[m][i];
    }
  }
}

// Block x: clusters of groups, blocks of output channels, chunks of input channels and groups of taps; y: shares of the tiles. partial
// {shares, weights}, weights in the order of gw.
template <class T, int kColumns, int kLines, int kFirst, int kSecond, bool kBoxes>
__global__ void __launch_bounds__(kWeightsThreads, 1)
    conv3d_wgmma_weights_kernel(ConvGather g, WgmmaWeightsPlan plan, bool whole_gy, GatherInput x, const __grid_constant__ HaloMaps maps,
                                const T* gy, float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  int* const table = reinterpret_cast<int*>(memory + plan.barrier_bytes());
  unsigned char* const stages = memory + plan.barrier_bytes() + plan.table_bytes();
  const SharedAddress barriers(memory);
  if (threadIdx.x == 0) {
    for (int i = 0; i < plan.stages; ++i) {
      transactions_begin(barriers + i * 8, kTileLoaders + (kBoxes ? 1 : 0));
      transactions_begin(barriers + (plan.stages + i) * 8, kSummingWarps * plan.cluster);
    }
    transactions_fence();
  }
  if (plan.cluster > 1) {
    cluster_arrive();
    cluster_wait();
  } else {
    __syncthreads();
  }

  if (threadIdx.x < kTileLoaders) {
    fewer_registers<WeightRegisters<kBoxes>::loading>();
    const ConvGather& cut = plan.cut;
    const int64_t voxels = int64_t(cut.axis[0].in) * cut.axis[1].in * cut.axis[2].in;
    constexpr int kPerPiece = 16 / int(sizeof(T));
    Ring ring{plan.stages};
    const auto stage = [&](int i) { return stages + i * plan.stage_bytes(sizeof(T)); };
    const auto tell = [&]<int kUnderWay>(Width<kUnderWay>, int i) {
      if (plan.cluster == 1) return tell_full<kUnderWay>(barriers, i);
      if (i < 0) return;
      tell_full<kUnderWay>(barriers, i, threadIdx.x == 0 ? sent_by_others<T, kBoxes>(plan) : 0);
      named_barrier(kTileBarrier, kTileLoaders);
      send_parts<T, kBoxes>(plan, stage(i), barriers + i * 8, int(threadIdx.x), kTileLoaders);
    };
    int behind = -1;  // the stage whose copies are under way beside those of the next one
    for (int64_t index = blockIdx.y; index < plan.tiles; index += plan.shares, ring.next()) {
      int first[3];
      const int64_t n = tile_place(cut, plan.tile, index, first);
      if constexpr (!kBoxes) {
        named_barrier(kTileBarrier, kTileLoaders);
        const OwnPart slots = own_slots(plan);
        fill_slots(cut, plan.tile, first, table, slots.first + int(threadIdx.x), kTileLoaders, slots.end);
        named_barrier(kTileBarrier, kTileLoaders);
      }
      transactions_wait(barriers + (plan.stages + ring.at) * 8, ring.round ^ 1);
      unsigned char* const halo = stage(ring.at);
      // What a block sums is computed anew, as registers are few.
      if constexpr (kBoxes)
        if (threadIdx.x == 0) {
          const WgmmaSums sums = WgmmaSums::of<T>(plan);
          int piece = sums.c0 / kPerPiece;
          const TensorMap& map = piece >= x.split ? maps.part[1] : maps.part[0];
          x.at(piece);
          load_weights_boxes<T>(plan, n, first, sums.group * g.inputs + piece * kPerPiece, map, halo, barriers + ring.at * 8,
                                index / plan.shares);
        }
      load_gy(plan, g, WgmmaSums::of<T>(plan), n, first, whole_gy, gy, halo + plan.halo_bytes());
      if constexpr (!kBoxes) {
        const WgmmaSums sums = WgmmaSums::of<T>(plan);
        const int thread = thread_read_anew(), piece = thread % kPieces;
        int first_piece = sums.c0 / kPerPiece;
        const GatherInput::Part part = x.at(first_piece);
        const T* const from = static_cast<const T*>(part.x) + int64_t(sums.group) * g.inputs;
        const OwnPart slots = own_slots(plan);
        load_pieces<T, 1, false>(part, x.whole, n, from, n * voxels, true, (first_piece + piece) * kPerPiece, table, slots.end,
                                 slots.first + thread / kPieces, kTileLoaders / kPieces, halo + piece * plan.plane * 16, 0);
      }
      cp_async_commit();
      if (plan.stages == 2) {
        // The buffer of the next tile is empty when the sums begin with this one.
        tell(Width<0>{}, ring.at);
        continue;
      }
      tell(Width<1>{}, behind);
      behind = ring.at;
    }
    tell(Width<0>{}, behind);
  } else {
    more_registers<WeightRegisters<kBoxes>::multiplying>();
    if (threadIdx.x < 2 * 128) sum_weights<T, kColumns, kLines, kFirst, kBoxes>(plan, g, 0, stages, barriers, partial);
    else sum_weights<T, kColumns, kLines, kSecond, kBoxes>(plan, g, kFirst, stages, barriers, partial);
  }
  // No block ends while another one of its cluster may still write to it, or read what it sends.
  if (plan.cluster > 1) {
    cluster_arrive();
    cluster_wait();
  }
#else
  __trap();  // code for sm_90 that is not for sm_90a
#endif
}

template <class T, int kColumns, int kLines, int kFirst, int kSecond>
bool run_form(Cuda on, const ConvGather& g, const WgmmaWeightsPlan& p, const GatherInput& x, const T* gy, float* partial) {
  if (p.columns != kColumns || p.lines != kLines || p.blocks[0] != kFirst || p.blocks[1] != kSecond) return false;
  const Grid grid{.x = p.share_clusters() * p.cluster, .y = p.shares, .threads = kWeightsThreads, .shared = p.shared,
                  .cluster = p.cluster};
  const bool whole_gy = whole_pieces(g.outputs, gy);
  if constexpr (sizeof(T) == 2)
    if (p.boxes) {
      launch<conv3d_wgmma_weights_kernel<T, kColumns, kLines, kFirst, kSecond, true>>(on, grid, g, p, whole_gy, x,
                                                                                      halo_maps<T>(p.cut, p.tile, x), gy, partial);
      return true;
    }
  launch<conv3d_wgmma_weights_kernel<T, kColumns, kLines, kFirst, kSecond, false>>(on, grid, g, p, whole_gy, x, HaloMaps{}, gy, partial);
  return true;
}

}  // namespace

template <class T>
void conv_weights_wgmma(Cuda on, const ConvGather& g, bool boxes, const GatherInput& x, const T* gy, float* gw) {
  const WgmmaWeightsPlan p = wgmma_weights_plan_on(on, g, sizeof(T), boxes && is_boxed(x));
  const int64_t weights = int64_t(g.outputs) * g.groups * g.taps * g.inputs;
  const Scratch partial(on, p.shares * weights * int64_t(sizeof(float)));
  float* const sums = partial.as<float>();
  if constexpr (sizeof(T) == 2)
    run_form<T, 32, 1, 7, 7>(on, g, p, x, gy, sums) || run_form<T, 32, 1, 3, 2>(on, g, p, x, gy, sums) ||
        run_form<T, 64, 1, 4, 3>(on, g, p, x, gy, sums) || run_form<T, 64, 1, 3, 2>(on, g, p, x, gy, sums) ||
        run_form<T, 32, 3, 3, 2>(on, g, p, x, gy, sums);
  else
    run_form<T, 32, 1, 4, 3>(on, g, p, x, gy, sums) || run_form<T, 32, 1, 2, 1>(on, g, p, x, gy, sums) ||
        run_form<T, 64, 1, 4, 3>(on, g, p, x, gy, sums) || run_form<T, 64, 1, 2, 1>(on, g, p, x, gy, sums);
  total_weights(on, weights, p.shares, sums, gw);
}

#define X(T) template void conv_weights_wgmma(Cuda, const ConvGather&, bool, const GatherInput&, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
