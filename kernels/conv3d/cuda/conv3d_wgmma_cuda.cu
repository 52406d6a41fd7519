// Convolutions on the tensor cores of sm_90a by wgmma, as implicit matrix products {64 outputs} x {channels} for every tap. Blocks stay and
// work through items (conv3d_wgmma.cuh): one warpgroup loads, two multiply. Three warps load halos, or one thread has boxes copied, the
// fourth loads weights, which the blocks of a cluster load for each other. Full and empty buffers are told by barriers in shared memory.
#include "core/cuda/chip.h"
#include "core/cuda/wgmma.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_boxes.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_pack.cuh"
#include "kernels/conv3d/cuda_shares/conv3d_wgmma_sums.cuh"

namespace voxgrad {
namespace {

template <bool kBoxes>
using PlainRegisters = WgmmaRegisters<kBoxes ? 56 : 104, kBoxes ? 224 : 200>;
constexpr int kThreads = 128 * (1 + kWgmmaConsumers);
[[maybe_unused]] constexpr int kLoaders = 96, kLoaderBarrier = 1, kConsumerWarps = 4 * kWgmmaConsumers;

// Weights as conv3d_wgmma_pack_kernel leaves them. kParts: WgmmaPlan::parts; with two of them each stage's products are added to the sum by
// the ordinary cores, since the tensor cores cut off what they add. kBoxes: WgmmaPlan::boxes, of x by its maps.
template <class T, int kColumns, int kBlocks, int kParts, bool kBoxes>
__global__ void __launch_bounds__(kThreads, 1)
    conv3d_wgmma_kernel(ConvGather g, WgmmaPlan plan, GatherInput x, const __grid_constant__ HaloMaps maps, const unsigned char* w,
                        GatherOutput<T> out, float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const MmaTile& tile = plan.tile;
  int* const table = reinterpret_cast<int*>(memory + plan.barrier_bytes());
  unsigned char* const halos = memory + plan.barrier_bytes() + plan.table_bytes();
  unsigned char* const weights = halos + plan.halos * plan.halo_bytes();
  const SharedAddress barriers(memory);
  const auto full_halo = [&](int i) { return barriers + i * 8; };
  const auto empty_halo = [&](int i) { return barriers + (plan.halos + i) * 8; };
  const auto full_weights = [&](int i) { return barriers + (2 * plan.halos + i) * 8; };
  const auto empty_weights = [&](int i) { return barriers + (2 * plan.halos + plan.stages + i) * 8; };
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int64_t first_item = int64_t(blockIdx.x) / plan.cluster(), step = int64_t(gridDim.x) / plan.cluster();

  if (threadIdx.x == 0) {
    for (int i = 0; i < plan.halos; ++i) {
      transactions_begin(full_halo(i), kBoxes ? 1 : kLoaders);
      transactions_begin(empty_halo(i), kConsumerWarps * plan.cluster_columns);
    }
    for (int i = 0; i < plan.stages; ++i) {
      transactions_begin(full_weights(i), 1);
      transactions_begin(empty_weights(i), kConsumerWarps * plan.cluster_tiles);
    }
    transactions_fence();
  }
  if (plan.cluster() > 1) {
    cluster_arrive();
    cluster_wait();
  } else {
    __syncthreads();
  }

  if (warp < 4) {
    fewer_registers<PlainRegisters<kBoxes>::loading>();
    if (kBoxes && warp < kLoaders / 32) {
      Ring ring{plan.halos};
      for (int64_t item = first_item; item < plan.items && threadIdx.x == 0; item += step) {
        const WgmmaItem at(g, plan, item, ClusterPlace(plan));
        for (int c = at.chunk0; c < at.chunk1; ++c, ring.next()) {
          transactions_wait(empty_halo(ring.at), ring.round ^ 1);
          load_boxes<T>(g, plan, ClusterPlace(plan), at, c, x.split, maps, halos + ring.at * plan.halo_bytes(), full_halo(ring.at));
        }
      }
    } else if (warp < kLoaders / 32) {
      const int64_t voxels = int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in;
      constexpr int kPerPiece = 16 / int(sizeof(T));
      const int piece = int(threadIdx.x) % kPieces;
      // Made anew for each use, as registers are few.
      const auto own = [&] { return HaloPart(plan, ClusterPlace(plan)); };
      Ring ring{plan.halos};
      for (int64_t item = first_item; item < plan.items; item += step) {
        const WgmmaItem at(g, plan, item, ClusterPlace(plan));
        named_barrier(kLoaderBarrier, kLoaders);
        const HaloPart filled = own();
        fill_slots(g, tile, at.first, table, filled.first + int(threadIdx.x), kLoaders, filled.end);
        named_barrier(kLoaderBarrier, kLoaders);
        for (int c = at.chunk0; c < at.chunk1; ++c, ring.next()) {
          transactions_wait(empty_halo(ring.at), ring.round ^ 1);
          int first_piece = c * kPieces;
          const GatherInput::Part part = x.at(first_piece);
          const T* const from = static_cast<const T*>(part.x) + int64_t(at.group) * g.inputs;
          unsigned char* const halo = halos + ring.at * plan.halo_bytes();
          const HaloPart loaded = own();
          load_pieces<T, kParts, true>(part, x.whole, at.n, from, at.n * voxels, at.there, (first_piece + piece) * kPerPiece, table,
                                       loaded.end, loaded.first + int(threadIdx.x) / kPieces, kLoaders / kPieces,
                                       halo + piece * plan.plane * 16, kPieces * plan.plane * 16);
          cp_async_commit();
          if (plan.cluster_columns == 1) {
            tell_full<0>(full_halo(0), ring.at);
            continue;
          }
          tell_full<0>(full_halo(0), ring.at, threadIdx.x == 0 ? own().others(plan) : 0);
          named_barrier(kLoaderBarrier, kLoaders);
          send_halo(plan, ClusterPlace(plan), own(), halo, full_halo(ring.at), int(threadIdx.x), kLoaders);
        }
      }
    } else if (lane == 0) {
      Ring ring{plan.stages};
      for (int64_t item = first_item; item < plan.items; item += step) {
        const WgmmaItem at(g, plan, item, ClusterPlace(plan));
        const unsigned char* const from =
            w + (int64_t(at.group) * plan.column_blocks + at.column_block) * plan.chunks * g.taps * plan.tap_bytes();
        for (int c = at.chunk0; c < at.chunk1; ++c)
          for (int t = at.tap0; t < at.tap1; t += plan.stage_taps, ring.next()) {
            const int bytes = (at.tap1 - t < plan.stage_taps ? at.tap1 - t : plan.stage_taps) * plan.tap_bytes();
            const unsigned char* const stage = from + (int64_t(c) * g.taps + t) * plan.tap_bytes();
            const SharedAddress into(weights + ring.at * plan.stage_bytes());
            transactions_wait(empty_weights(ring.at), ring.round ^ 1);
            transactions_expect(full_weights(ring.at), bytes);
            const int own = bytes / plan.cluster_tiles, first = ClusterPlace(plan).tile * own;
            if (plan.cluster_tiles > 1)
              bulk_copy_to(into + first, stage + first, own, full_weights(ring.at), ClusterPlace(plan).all_of_channels(plan));
            else bulk_copy(into, stage, bytes, full_weights(ring.at));
          }
      }
    }
  } else {
    more_registers<PlainRegisters<kBoxes>::multiplying>();
    const int warpgroup = warp / 4 - 1;
    Ring halo{plan.halos}, stage{plan.stages};
    const int slot = kBoxes ? kPieces : 1, deeper = kBoxes ? 2 : 2 * plan.plane;
    const uint64_t a0 = halo_descriptor<kBoxes>(plan, halos);
    const uint64_t b0 = matrix_descriptor(SharedAddress(weights), kColumns * 16, 128);
    int row[kBlocks];  // where the first output of each product reads
#pragma unroll
    for (int m = 0; m < kBlocks; ++m) {
      int at[3];
      plan.place(warpgroup * kBlocks + m, 0, at);
      row[m] = slot * (at[0] * tile.output[0] + at[1] * tile.output[1] + at[2] * tile.output[2]);
    }
    int used_stage = -1, used_halo = -1;  // buffers that products under way read, and that are empty behind them
    const auto release = [&] {
      const int to = thread_read_anew() % 32;  // a lane for each block that is told
      if (used_stage >= 0 && to < plan.cluster_tiles)
        transactions_arrive_at(empty_weights(used_stage), ClusterPlace(plan).of_channels(plan, to));
      if (used_halo >= 0 && to < plan.cluster_columns) transactions_arrive_at(empty_halo(used_halo), ClusterPlace(plan).of_tile(to));
      used_stage = used_halo = -1;
    };
    for (int64_t item = first_item; item < plan.items; item += step) {
      const WgmmaItem at(g, plan, item, ClusterPlace(plan));
      float sum[kBlocks][kColumns / 2], total[kParts == 2 ? kBlocks : 1][kParts == 2 ? kColumns / 2 : 1];
      if constexpr (kParts == 2)
        for (auto& block : total)
          for (float& v : block) v = 0.f;
      bool begun = false;
      for (int c = at.chunk0; c < at.chunk1; ++c, halo.next()) {
        transactions_wait(full_halo(halo.at), halo.round);
        int tap[3] = {at.tap0 / (g.axis[1].taps * g.axis[2].taps), at.tap0 / g.axis[2].taps % g.axis[1].taps, at.tap0 % g.axis[2].taps};
        for (int t = at.tap0; t < at.tap1; t += plan.stage_taps, stage.next()) {
          transactions_wait(full_weights(stage.at), stage.round);
          const int end = at.tap1 - t < plan.stage_taps ? at.tap1 - t : plan.stage_taps;
          uint64_t b = b0 + stage.at * plan.stage_bytes() / 16;
          for (int i = 0; i < end; ++i, b += kParts * kColumns * kPieces) {
            const uint64_t a = a0 + halo.at * plan.halo_bytes() / 16 + slot * tile.shift(tap[0], tap[1], tap[2]);
            wgmma_fence();
#pragma unroll
            for (int k = 0; k < kSlot / kMmaStep; ++k)
#pragma unroll
              for (int m = 0; m < kBlocks; ++m) {
                const uint64_t of_a = a + row[m] + k * deeper, of_b = b + 2 * k * kColumns;
                if constexpr (kParts == 2) {
                  wgmma_of<T>(sum[m], of_a + kPieces * plan.plane, of_b, begun || k > 0);
                  wgmma_of<T>(sum[m], of_a, of_b + kPieces * kColumns, true);
                  wgmma_of<T>(sum[m], of_a, of_b, true);
                } else {
                  wgmma_of<T>(sum[m], of_a, of_b, begun || k > 0);
                }
              }
            wgmma_commit();
            // The tap before this one is done, and so is what it was the last of.
            wgmma_wait<1>();
            if (i == 0) release();
            begun = true;
            if (++tap[2] == g.axis[2].taps) {
              tap[2] = 0;
              if (++tap[1] == g.axis[1].taps) tap[1] = 0, ++tap[0];
            }
          }
          used_stage = stage.at;
          used_halo = t + plan.stage_taps >= at.tap1 ? halo.at : -1;
          // A single halo is brought anew when the products that read it are done, which no tap behind them tells of.
          if (kParts == 2 || (plan.halos == 1 && used_halo >= 0)) {
            wgmma_wait<0>();
            release();
          }
          if constexpr (kParts == 2) {
            begun = false;
#pragma unroll
            for (int m = 0; m < kBlocks; ++m)
#pragma unroll
              for (int i = 0; i < kColumns / 2; ++i) total[m][i] += sum[m][i];
          }
        }
      }
      wgmma_wait<0>();
      release();
      const auto& made = picked<kParts == 2>(total, sum);
      const int64_t tile_at = ClusterPlace(plan).tile_of(plan, item);
      if constexpr (kParts * kBlocks * kColumns <= kMostSummedColumns)
        if (out.sums.parts) {
          store_with_sums<T, kColumns, kBlocks>(g, plan, at, tile_at, out, made);
          continue;
        }
#pragma unroll
      for (int m = 0; m < kBlocks; ++m) store_outputs<T, kColumns>(g, plan, at, warpgroup * kBlocks + m, out, made[m], partial);
      if (out.moments.parts && !out.ends()) store_moments<T, kColumns, kBlocks>(g, plan, at, tile_at, out, made);
      if (out.moments.parts && out.ends()) store_moments_of_stored<T, kColumns, kBlocks>(g, plan, at, tile_at, out);
    }
  }
  // No block ends while another one of its cluster may still write to it.
  if (plan.cluster() > 1) {
    cluster_arrive();
    cluster_wait();
  }
#else
  __trap();  // code for sm_90 that is not for sm_90a
#endif
}

template <class T, int kColumns, int kBlocks, int kParts, bool kBoxes>
void run_wgmma(Cuda on, const ConvGather& g, const WgmmaPlan& plan, const WeightPack& pack, const GatherInput& x, const float* w,
               const GatherOutput<T>& out) {
  const int64_t taps = int64_t(g.groups) * plan.column_blocks * plan.chunks * g.taps;
  const Scratch packed(on, taps * plan.tap_bytes());
  launch<conv3d_wgmma_pack_kernel<T, kParts>>(on, grid_over(taps * kPieces * plan.columns), g, plan, pack, w, packed.as<unsigned char>());
  const Scratch partial(on, plan.shares() > 1 ? plan.shares() * g.out_voxels() * g.outputs * g.groups * 4 : 0);
  HaloMaps maps{};
  if constexpr (kBoxes) maps = halo_maps<T>(g, plan.tile, x);
  const int64_t at_once = wgmma_clusters_at_once(on, plan.cluster());
  const int64_t clusters = at_once < 1 ? 1 : plan.items < at_once ? plan.items : at_once;  // without any the launch says so
  const Grid grid{.x = clusters * plan.cluster(), .threads = kThreads, .shared = plan.shared, .cluster = plan.cluster()};
  const auto run = [&](const GatherOutput<T>& to) {
    launch<conv3d_wgmma_kernel<T, kColumns, kBlocks, kParts, kBoxes>>(on, grid, g, plan, x, maps, packed.as<unsigned char>(), to,
                                                                      partial.as<float>());
  };
  if (plan.shares() == 1) return with_moments(on, g, out, plan.tiles * kConsumerWarps, run);
  run(out);
  add_shares(on, g, plan.shares(), partial.as<float>(), out);
}

}  // namespace

// Of a kernel that is as large as any of them: a block has a multiprocessor for itself.
int wgmma_clusters_at_once(Cuda on, int blocks) {
  if (blocks == 1) return cuda::chip_of(on).multiprocessors;
  return clusters_at_once<conv3d_wgmma_kernel<bf16, 32, 1, 1, false>>(
      on, {.x = blocks, .threads = kThreads, .shared = kMostWgmmaShared, .cluster = blocks});
}

double wgmma_waste(const ConvGather& g, int element, bool exact, bool boxes) {
  const WgmmaPlan p = wgmma_plan(g, element, exact, boxes);
  return p.tile.extent[0] > 0 ? double(p.tiles) * p.tile.voxels() / double(g.out_voxels()) : 0;
}

template <class T>
void conv_gather_wgmma(Cuda on, const ConvGather& g, const WeightPack& pack, bool exact, bool boxes, const GatherInput& x, const float* w,
                       const GatherOutput<T>& out) {
  const WgmmaPlan p = wgmma_plan_on(on, g, sizeof(T), exact, boxes && is_boxed(x), out.sums.totals);
  const auto is = [&](int columns, int blocks) { return p.columns == columns && p.blocks == blocks; };
  const auto go = [&]<int kColumns, int kBlocks, int kParts>(Width<kColumns>, Width<kBlocks>, Width<kParts>) {
    if constexpr (kParts == 1)
      if (p.boxes) return run_wgmma<T, kColumns, kBlocks, kParts, true>(on, g, p, pack, x, w, out);
    run_wgmma<T, kColumns, kBlocks, kParts, false>(on, g, p, pack, x, w, out);
  };
  if constexpr (dtype_of<T> == DType::f32)
    if (exact) {
      if (is(32, 2)) go(Width<32>{}, Width<2>{}, Width<2>{});
      else if (is(32, 1)) go(Width<32>{}, Width<1>{}, Width<2>{});
      else if (is(64, 2)) go(Width<64>{}, Width<2>{}, Width<2>{});
      else go(Width<64>{}, Width<1>{}, Width<2>{});
      return;
    }
  if (is(32, 4)) go(Width<32>{}, Width<4>{}, Width<1>{});
  else if (is(32, 2)) go(Width<32>{}, Width<2>{}, Width<1>{});
  else if (is(32, 1)) go(Width<32>{}, Width<1>{}, Width<1>{});
  else if (is(64, 4)) go(Width<64>{}, Width<4>{}, Width<1>{});
  else if (is(64, 2)) go(Width<64>{}, Width<2>{}, Width<1>{});
  else if (is(64, 1)) go(Width<64>{}, Width<1>{}, Width<1>{});
  else if (is(128, 2)) go(Width<128>{}, Width<2>{}, Width<1>{});
  else if (is(128, 1)) go(Width<128>{}, Width<1>{}, Width<1>{});
  else go(Width<160>{}, Width<1>{}, Width<1>{});
}

#define X(T)                                                                                                                \
  template void conv_gather_wgmma(Cuda, const ConvGather&, const WeightPack&, bool, bool, const GatherInput&, const float*, \
                                  const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
