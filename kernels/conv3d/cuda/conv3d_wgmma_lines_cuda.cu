// Convolutions to up to 32 output channels by wgmma on sm_90a, with the three taps along H as columns of one product: 96 columns, at which
// the tensor cores are as fast as they can be, where 32 wait for shared memory (conv3d_wgmma_lines.cuh).
#include "core/cuda/chip.h"
#include "core/cuda/wgmma.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_boxes.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_lines.cuh"
#include "kernels/conv3d/cuda_shares/conv3d_wgmma_sums.cuh"

namespace voxgrad {
namespace {

template <bool kBoxes>
using LineRegisters = WgmmaRegisters<kBoxes ? 40 : 88, kBoxes ? 232 : 208>;
constexpr int kLineThreads = 128 * (1 + kWgmmaConsumers);
[[maybe_unused]] constexpr int kLineLoaders = 128, kLineBarrier = 1, kLineWarps = 4 * kWgmmaConsumers;
constexpr int kLineWide = kLineTaps * kLineColumns;
constexpr int64_t kLineChips = 132;  // multiprocessors of an H100 and an H200

// An item: outputs [first[1], end) along H.
struct LinesItem : WgmmaItem {
  int end;
  __device__ LinesItem(const ConvGather& g, const WgmmaLinesPlan& p, int64_t item, int of_group) {
    n = tile_place(p.cut, p.place.tile, item / p.segments, first);
    group = of_group;
    first[1] = int(item % p.segments) * p.segment;
    end = first[1] + p.segment < g.axis[1].count ? first[1] + p.segment : g.axis[1].count;
  }
};

// Weights as conv3d_wgmma_lines_pack_kernel leaves them. Block y: groups. kBoxes: WgmmaPlan::boxes, of x by its maps.
template <class T, bool kBoxes>
__global__ void __launch_bounds__(kLineThreads, 1)
    conv3d_wgmma_lines_kernel(ConvGather g, WgmmaLinesPlan plan, GatherInput x, const __grid_constant__ HaloMaps maps,
                              const unsigned char* w, GatherOutput<T> out) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const WgmmaPlan& place = plan.place;
  const MmaTile& tile = place.tile;
  int* const table = reinterpret_cast<int*>(memory + place.barrier_bytes());
  unsigned char* const weights = memory + place.barrier_bytes() + place.table_bytes();
  unsigned char* const lines = weights + plan.weight_bytes();
  const SharedAddress barriers(memory);
  const auto full = [&](int i) { return barriers + i * 8; };
  const auto empty = [&](int i) { return barriers + (plan.buffers + i) * 8; };
  const SharedAddress packed = barriers + 2 * plan.buffers * 8;  // all weights are there
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, group = int(blockIdx.y);

  if (threadIdx.x == 0) {
    for (int i = 0; i < plan.buffers; ++i) {
      transactions_begin(full(i), kBoxes ? place.chunks : kLineLoaders);
      transactions_begin(empty(i), kLineWarps);
    }
    transactions_begin(packed, 1);
    transactions_fence();
  }
  __syncthreads();

  if (warp < 4) {
    fewer_registers<LineRegisters<kBoxes>::loading>();
    if (threadIdx.x == 0) {
      transactions_expect(packed, plan.weight_bytes());
      for (int c = 0; c < place.chunks; ++c) {
        const int bytes = plan.cut.taps * plan.tap_bytes();
        bulk_copy(SharedAddress(weights + c * bytes), w + (int64_t(group) * place.chunks + c) * bytes, bytes, packed);
      }
    }
    Ring ring{plan.buffers};
    if (kBoxes) {
      for (int64_t index = blockIdx.x; index < plan.items && threadIdx.x == 0; index += gridDim.x) {
        LinesItem at(g, plan, index, group);
        for (int end = at.end + kLineTaps - 1, h = at.first[1]; h < end; ++h, ring.next()) {
          at.first[1] = h + g.axis[1].offset;
          transactions_wait(empty(ring.at), ring.round ^ 1);
          for (int c = 0; c < place.chunks; ++c)
            load_boxes<T>(plan.cut, place, {}, at, c, x.split, maps, lines + ring.at * plan.line_bytes() + c * place.halo_bytes(),
                          full(ring.at));
        }
      }
    } else {
      const int64_t voxels = int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in;
      constexpr int kPerPiece = 16 / int(sizeof(T));
      const int piece = int(threadIdx.x) % kPieces;
      int behind = -1;  // the line whose copies are under way beside those of the next one
      for (int64_t item = blockIdx.x; item < plan.items; item += gridDim.x) {
        const LinesItem at(g, plan, item, group);
        const int none[3] = {at.first[0], 0, at.first[2]};
        named_barrier(kLineBarrier, kLineLoaders);
        fill_table(plan.cut, tile, none, table, int(threadIdx.x), kLineLoaders);
        named_barrier(kLineBarrier, kLineLoaders);
        for (int h = at.first[1]; h < at.end + kLineTaps - 1; ++h, ring.next()) {
          const int position = h + g.axis[1].offset;
          const bool inside = unsigned(position) < unsigned(g.axis[1].in);
          transactions_wait(empty(ring.at), ring.round ^ 1);
          for (int c = 0; c < place.chunks; ++c) {
            int first = c * kPieces;  // piece
            const GatherInput::Part part = x.at(first);
            const T* const from = static_cast<const T*>(part.x) + int64_t(group) * g.inputs;
            load_pieces<T, 1, true>(part, x.whole, at.n, from, at.n * voxels + int64_t(position) * g.axis[2].in, inside,
                                    (first + piece) * kPerPiece, table, tile.slots(), int(threadIdx.x) / kPieces, kLineLoaders / kPieces,
                                    lines + ring.at * plan.line_bytes() + c * place.halo_bytes() + piece * place.plane * 16, 0);
          }
          cp_async_commit();
          tell_full<1>(full(0), behind);
          behind = ring.at;
        }
      }
      tell_full<0>(full(0), behind);
    }
  } else {
    more_registers<LineRegisters<kBoxes>::multiplying>();
    const int warpgroup = warp / 4 - 1;
    int first[3];
    place.place(warpgroup, 0, first);
    const int slot = kBoxes ? kPieces : 1, deeper = kBoxes ? 2 : 2 * place.plane;
    const int row = first[0] * tile.output[0] + first[1] * tile.output[1] + first[2] * tile.output[2];
    const uint64_t a0 = halo_descriptor<kBoxes>(place, lines) + slot * row;
    const uint64_t b0 = matrix_descriptor(SharedAddress(weights), kLineWide * 16, 128);
    Ring ring{plan.buffers};
    transactions_wait(packed, 0);
    for (int64_t item = blockIdx.x; item < plan.items; item += gridDim.x) {
      LinesItem at(g, plan, item, group);
      const int begin = at.first[1];
      float sum[kLineWide / 2];  // of three lines of outputs, the oldest first
#pragma unroll
      for (float& v : sum) v = 0.f;
      RowMoments<kLineColumns / 4> moments;
      RowSums<T> sums;
      if (out.sums.parts) sums.begin_columns(g, out.sums, at, 0, lane);
      for (at.first[1] = begin - kLineTaps + 1; at.first[1] < at.end; ++at.first[1], ring.next()) {
        transactions_wait(full(ring.at), ring.round);
        uint64_t a = a0 + ring.at * plan.line_bytes() / 16, b = b0;
        int tap[2] = {};  // along D and W
        for (int i = 0; i < place.chunks * plan.cut.taps; ++i, b += kLineWide * kPieces) {
          const uint64_t of_a = a + slot * tile.shift(tap[0], 0, tap[1]);
          wgmma_fence();
#pragma unroll
          for (int k = 0; k < kSlot / kMmaStep; ++k) wgmma_of<T>(sum, of_a + k * deeper, b + 2 * k * kLineWide, true);
          wgmma_commit();
          wgmma_wait<1>();
          if (++tap[1] < g.axis[2].taps) continue;
          tap[1] = 0;
          if (++tap[0] < g.axis[0].taps) continue;
          tap[0] = 0;
          a += place.halo_bytes() / 16;
        }
        wgmma_wait<0>();
        if (lane == 0) transactions_arrive(empty(ring.at));
        float done[kLineColumns / 2];
#pragma unroll
        for (int i = 0; i < kLineColumns / 2; ++i) done[i] = sum[i];
#pragma unroll
        for (int i = 0; i < kLineWide / 2; ++i) sum[i] = i < kLineWide / 2 - kLineColumns / 2 ? sum[i + kLineColumns / 2] : 0.f;
        if (at.first[1] < begin) continue;
        if (out.sums.parts) {
          store_and_add(g, place, at, warpgroup, out, done, sums);
          continue;
        }
        store_outputs<T, kLineColumns>(g, place, at, warpgroup, out, done, nullptr);
        if (!out.moments.parts) continue;
        if (out.ends()) __syncwarp();
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float values[kLineColumns / 4];
          const int voxel = row_voxel(g, place, at, int(threadIdx.x), warpgroup, half);
          if (out.ends()) read_stored(g, at, out, int(threadIdx.x), voxel, 0, values);
          else stored_values(g, out, int(threadIdx.x), group, 0, done, 0, half, values);
          if (at.first[1] == begin && half == 0) moments.begin(values);
          moments.add(values, voxel >= 0);
        }
      }
      if (out.sums.parts) sums.store(g, out.sums, at, item * kLineWarps + warp - 4, 0, lane);
      if (out.moments.parts)
        moments.store(out.moments, item * kLineWarps + warp - 4, g.outputs * g.groups, group * g.outputs, g.outputs);
    }
  }
#else
  __trap();  // code for sm_90 that is not for sm_90a
#endif
}

// Packs f32 weights as {groups, chunks, taps of D and W, pieces of 16 bytes, taps of H from the last one on, output channels}.
template <class T>
__global__ void conv3d_wgmma_lines_pack_kernel(ConvGather g, WgmmaLinesPlan plan, WeightPack pack, const float* w, unsigned char* packed) {
  constexpr int kPerPiece = 16 / int(sizeof(T));
  const int64_t count = int64_t(g.groups) * plan.place.chunks * plan.cut.taps * kPieces * kLineWide;
  for (int64_t i : grid_stride(count)) {
    const int n = int(i % kLineWide), piece = int(i / kLineWide % kPieces), wide = g.axis[2].taps;
    const int64_t at = i / kLineWide / kPieces;
    const int tap = int(at % plan.cut.taps), chunk = int(at / plan.cut.taps % plan.place.chunks);
    const int group = int(at / plan.cut.taps / plan.place.chunks);
    const int whole = (tap / wide * kLineTaps + kLineTaps - 1 - n / kLineColumns) * wide + tap % wide;
    Pack<T, kPerPiece> v;
    for (int e = 0; e < kPerPiece; ++e) {
      const float f = joined_weight_of(g, pack, w, group, whole, n % kLineColumns, chunk * kMmaChunk<T> + piece * kPerPiece + e);
      if constexpr (dtype_of<T> == DType::f32) v.v[e] = __uint_as_float(tf32_of(f));
      else v.v[e] = T(f);
    }
    store_pack(reinterpret_cast<T*>(packed + i * 16), v);
  }
}

int64_t ceil_part(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How many outputs along H an item has: few leave no multiprocessor idle, many load few halos.
void cut_segments(const ConvGather& g, WgmmaLinesPlan& p) {
  const int count = g.axis[1].count;
  const int64_t columns = mma_tiles(p.cut, p.place.tile) / p.cut.axis[1].count;
  for (int segments = 1; segments <= count; ++segments) {
    const int segment = int(ceil_part(count, segments)), used = int(ceil_part(count, segment));
    const int64_t items = columns * used, waves = ceil_part(items * g.groups, kLineChips);
    // Two warpgroups, two steps of a tap; what a line costs beside it.
    const double line = double(p.place.chunks) * p.cut.taps * 2 * kWgmmaConsumers * kLineWide / 2 + 200;
    const double cycles = double(waves) * (segment + kLineTaps - 1) * line;
    if (p.segment == 0 || cycles < p.cycles) p.segment = segment, p.segments = used, p.items = items, p.cycles = cycles;
  }
}

}  // namespace

WgmmaLinesPlan wgmma_lines_plan(const ConvGather& g, int element, bool boxes) {
  WgmmaLinesPlan best;
  const GatherAxis& h = g.axis[1];
  if (g.taps < 1 || g.n < 1 || g.outputs > kLineColumns || h.taps != kLineTaps || h.in_step != 1 || h.tap_step != 1) return best;
  if (int64_t(g.axis[0].in) * h.in * g.axis[2].in > INT32_MAX || (boxes && !boxes_are_possible(g, element))) return best;
  WgmmaLinesPlan p{.cut = g};
  p.cut.axis[1] = {.in = h.in};
  p.cut.taps = g.axis[0].taps * g.axis[2].taps;
  p.place.columns = kLineColumns;
  p.place.boxes = boxes;
  p.place.chunks = int(ceil_part(int64_t(g.inputs) * element, kSlot));
  for (int w = 8; w <= kWgmmaConsumers * kWgmmaRows; w *= 2) {
    p.place.tile = mma_tile(p.cut, kWgmmaConsumers * kWgmmaRows / w, 1, w);
    const MmaTile& t = p.place.tile;
    p.place.across = t.extent[0] >= 8 ? 0 : t.extent[2] >= kWgmmaRows ? 2 : -1;
    if (p.place.across < 0 || t.output[2] != 1 || (boxes && !lay_boxes(p.cut, p.place.tile))) continue;
    p.place.plane = t.slots() + (10 - t.slots() % 8) % 8;  // as in WgmmaPlan
    for (p.buffers = 6; p.buffers > 2; --p.buffers) {
      p.shared = p.place.barrier_bytes() + p.place.table_bytes() + p.weight_bytes() + int64_t(p.buffers) * p.line_bytes();
      if (p.shared <= kMostWgmmaShared) break;
    }
    if (p.buffers < 3) continue;
    p.segment = 0;
    cut_segments(g, p);
    if (best.place.tile.extent[0] == 0 || p.cycles < best.cycles) best = p;
  }
  return best;
}

double wgmma_lines_gain(const ConvGather& g, int element, bool exact) {
  const WgmmaLinesPlan lines = wgmma_lines_plan(g, element);
  const WgmmaPlan plain = wgmma_plan(g, element, exact);
  if (exact || lines.place.tile.extent[0] == 0 || plain.tile.extent[0] == 0) return 0;
  const int64_t waves = ceil_part(plain.items, kLineChips / plain.cluster());
  const int64_t taps = ceil_part(plain.chunks, plain.chunk_shares) * g.taps / plain.tap_shares;
  // Products of 32 columns read 16 cycles of rows and 8 of columns from shared memory; two steps of a tap.
  const double cycles = double(waves) * (double(taps) * 2 * plain.blocks * kWgmmaConsumers * (16 + plain.columns / 4) + 200);
  return cycles / lines.cycles;
}
bool wgmma_lines_have_boxes(const ConvGather& g, int element) { return wgmma_lines_plan(g, element, true).place.tile.extent[0] > 0; }
ConvTraffic wgmma_lines_traffic(const ConvGather& g, int element, bool boxes, int multiprocessors) {
  const WgmmaLinesPlan p = wgmma_lines_plan(g, element, boxes);
  const int outputs[3] = {p.place.tile.extent[0], p.segment, p.place.tile.extent[2]};
  const int64_t blocks = p.items < multiprocessors ? p.items : multiprocessors;
  const auto halos = [&](int more) { return double(g.n) * g.halo_voxels(outputs, more) * g.inputs * element * g.groups; };
  return {.activations = halos(boxes ? more_positions(p.place.tile) : 0), .halos = halos(0),
          .others = double(blocks + 1) * g.groups * p.weight_bytes() + double(g.out_voxels()) * g.outputs * g.groups * element};
}

template <class T, bool kBoxes>
static void run_lines(Cuda on, const ConvGather& g, const WgmmaLinesPlan& plan, const WeightPack& pack, const GatherInput& x,
                      const float* w, const GatherOutput<T>& out) {
  const Scratch packed(on, int64_t(g.groups) * plan.weight_bytes());
  launch<conv3d_wgmma_lines_pack_kernel<T>>(on, grid_over(int64_t(g.groups) * plan.weight_bytes() / 16), g, plan, pack, w,
                                            packed.as<unsigned char>());
  HaloMaps maps{};
  if constexpr (kBoxes) maps = halo_maps<T>(plan.cut, plan.place.tile, x);
  const int64_t most = cuda::chip_of(on).multiprocessors;
  const Grid grid{.x = plan.items < most ? plan.items : most, .y = g.groups, .threads = kLineThreads, .shared = plan.shared};
  with_moments(on, g, out, plan.items * kLineWarps, [&](const GatherOutput<T>& to) {
    launch<conv3d_wgmma_lines_kernel<T, kBoxes>>(on, grid, g, plan, x, maps, packed.as<unsigned char>(), to);
  });
}

template <class T>
void conv_gather_lines(Cuda on, const ConvGather& g, const WeightPack& pack, bool boxes, const GatherInput& x, const float* w,
                       const GatherOutput<T>& out) {
  const WgmmaLinesPlan plan = wgmma_lines_plan(g, sizeof(T), boxes && is_boxed(x));
  if (plan.place.boxes) run_lines<T, true>(on, g, plan, pack, x, w, out);
  else run_lines<T, false>(on, g, plan, pack, x, w, out);
}

#define X(T)                                                                                                          \
  template void conv_gather_lines(Cuda, const ConvGather&, const WeightPack&, bool, const GatherInput&, const float*, \
                                  const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
