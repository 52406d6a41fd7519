#pragma once
// Convolutions on the tensor cores by mma.sync: implicit matrix products {outputs voxels} x {channels of a chunk} for every tap. What the
// voxels of a block read of x for all taps, or for those of a slice, lies in shared memory (conv3d_mma.cuh), and every tap is another set
// of row addresses for ldmatrix. Weights of the next three taps, and beside them the next chunk of x, are on their way while a tap is
// multiplied. What of x is to be normalised is so in shared memory, by the thread that has copied it, before the barrier behind which
// others read it. On sm_90 the blocks of a cluster load a halo together (conv3d_mma_clusters.cuh).
#include "kernels/conv3d/cuda/conv3d_mma_parts.cuh"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_clusters/conv3d_mma_clusters.cuh"

namespace voxgrad {

// Block x: tiles of all samples, and the blocks of a cluster; y: blocks, or clusters of them, of kColumns output channels of all groups; z:
// shares of the sum, or clusters of them. A warp makes 64 or 32 voxels times 32 or 16 channels. Weights {groups, taps, rows, columns} of T,
// rows a multiple of kColumns and columns of the chunk. With shares, sums go to partial {shares, outputs of the gather, channels}. kExact:
// f32 is multiplied without loss, as parts of tf32. kSliced: g is the gather of the first slice of the taps, and chunk c that of c / slices
// of the channels, of slice c % slices.
template <class T, int kVoxels, int kColumns, int kWarpsM, int kWarpsN, bool kExact, bool kSliced>
__device__ __forceinline__ void mma_block_sums(const ConvGather& g, const MmaPlan& plan, int rows, const GatherInput& x, const T* w,
                                               const GatherOutput<T>& out, float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  constexpr int kThreads = 32 * kWarpsM * kWarpsN, kM = kVoxels / kWarpsM / 16, kN = kColumns / kWarpsN / 16,
                kPerPiece = 16 / int(sizeof(T));
  const MmaTile& tile = plan.tile;
  int* const table = reinterpret_cast<int*>(memory + plan.barrier_bytes());
  GatherNorm* const norms = reinterpret_cast<GatherNorm*>(memory + plan.barrier_bytes() + tile.table_bytes());
  unsigned char* const halos = memory + plan.before_halos();
  unsigned char* const weights = halos + plan.buffers * plan.halo_bytes();
  const MmaBlock block = mma_block(g, plan, rows);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, warp_m = warp % kWarpsM, warp_n = warp / kWarpsM;
  const int taps = block.tap1 - block.tap0, chunks = block.chunk1 - block.chunk0;
  const int64_t voxels = int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in;
  const int own_piece = int(threadIdx.x) % kPieces;  // of each slot of the halo

  const MmaCluster cluster(plan, memory, kWarpsM * kWarpsN);
  if constexpr (kSliced) fill_positions(tile, table, int(threadIdx.x), kThreads);
  else fill_table(g, tile, block.first, table, int(threadIdx.x), kThreads);
  __syncthreads();

  const auto input_chunk = [&](int c) { return kSliced ? (block.chunk0 + c) / plan.all_slices() : block.chunk0 + c; };
  const auto slice_of = [&](int c) { return kSliced ? (block.chunk0 + c) % plan.all_slices() : 0; };
  // f(slot, voxel) for the slots of part `part` of `parts` of the halo of chunk c of which this thread has a piece.
  const auto for_slots = [&](int c, int part, int parts, const auto& f) {
    const MmaCluster::Slots own = cluster.slots(part, parts, kThreads);
    const int begin = own.begin + int(threadIdx.x) / kPieces;
    if constexpr (kSliced) {
      const SliceOrigin origin(g, block.first, plan.slices, slice_of(c));
#pragma unroll 1
      for (int slot = begin; slot < own.end; slot += kThreads / kPieces) f(slot, origin.voxel(g, table[slot]));
    } else {
#pragma unroll 1
      for (int slot = begin; slot < own.end; slot += kThreads / kPieces) f(slot, table[slot]);
    }
  };
  const auto halo_of = [&](int c) { return halos + c % plan.buffers * plan.halo_bytes(); };
  const auto norms_of = [&](int c) { return norms + c % plan.buffers * (kNormBytes / int(sizeof(GatherNorm))); };
  // Chunk c of the block, into its buffer.
  const auto load_halo = [&](int c, int part, int parts) {
    const int first = input_chunk(c) * kPieces;
    if (part == 0) cluster.begin_chunk(c);
    if (part == 0 && x.normalises()) fill_norms<T>(x, first, block.n, norms_of(c), int(threadIdx.x));
    int piece = first + own_piece;
    const GatherInput::Part of = x.at(piece);
    const int channel = piece * kPerPiece;
    const T* const from = static_cast<const T*>(of.x) + block.n * voxels * of.channels + int64_t(block.group) * g.inputs + channel;
    unsigned char* const halo = halo_of(c);
    for_slots(c, part, parts, [&](int slot, int voxel) {
      if (voxel == -2) return;
      copy_piece(halo + swizzled(slot, own_piece), from + int64_t(voxel) * of.channels, static_cast<const T*>(of.x),
                 voxel >= 0 ? of.used - channel : 0, x.whole);
    });
  };
  // The same part once it has arrived; norms_of(c) has to be seen.
  const auto normalise_halo = [&](int c, int part, int parts) {
    int piece = input_chunk(c) * kPieces + own_piece;
    const GatherInput::Part of = x.at(piece);
    if (!of.coefficients) return;
    unsigned char* const halo = halo_of(c);
    for_slots(c, part, parts, [&](int slot, int voxel) {
      if (voxel >= 0) normalise_piece<T>(halo + swizzled(slot, own_piece), norms_of(c), own_piece, of.slope);
    });
  };
  const int columns = (kSliced ? plan.input_chunks() : plan.chunks) * kMmaChunk<T>;
  const auto load_weights = [&](int c, int t, int stage) {
    const int64_t slice = kSliced ? int64_t(block.group) * plan.all_slices() + slice_of(c) : block.group;
    const T* const from = w + ((slice * g.taps + block.tap0 + t) * rows + block.column0) * columns + input_chunk(c) * kMmaChunk<T>;
    for (int item = int(threadIdx.x); item < kColumns * kPieces; item += kThreads) {
      const int m = item / kPieces, piece = item % kPieces;
      cp_async_16(SharedAddress(weights + stage * kColumns * kSlot + swizzled(m, piece)), from + int64_t(m) * columns + piece * kPerPiece,
                  true);
    }
  };

  // The slots that this lane names to ldmatrix at tap 0: of voxel lane % 16 of each sixteen of the warp.
  int row[kM];
  for (int i = 0; i < kM; ++i) row[i] = tile.slot((warp_m * kM + i) * 16 + lane % 16);
  const int column = warp_n * kN * 16 + lane / 16 * 8 + lane % 8, column_piece = lane / 8 % 2 ^ (column / 2 % 4);

  float sum[kM][2 * kN][4] = {};
  int next_c = 0, next_t = 0;  // of the weights to be loaded
  const auto load_next_weights = [&](int stage) {
    if (next_c < chunks) load_weights(next_c, next_t, stage);
    if (++next_t == taps) next_t = 0, ++next_c;
  };
  for (int c = 0; c < plan.ahead && c < chunks; ++c) load_halo(c, 0, 1);
  for (int s = 0; s < kMmaStages - 1; ++s) {
    load_next_weights(s);
    cp_async_commit();
  }
  int arrived_c = plan.ahead, arrived_t = 1 - kMmaStages;  // the part of the halo that has arrived with the weights of a tap
  if ((x.normalises() || cluster.shares()) && plan.ahead > 0) {
    cp_async_wait<kMmaStages - 2>();
    if (x.normalises()) {
      __syncthreads();
      for (int c = 0; c < plan.ahead && c < chunks; ++c) normalise_halo(c, 0, 1);
    }
    if (cluster.shares()) {
      cluster.written();
      __syncthreads();
      for (int c = 0; c < plan.ahead && c < chunks; ++c) cluster.send(c, cluster.slots(0, 1, kThreads));
    }
  }
  int stage = 0;
  for (int c = 0; c < chunks; ++c) {
    if (plan.ahead == 0) {  // room for one chunk alone
      __syncthreads();
      load_halo(c, 0, 1);
      cp_async_commit();
      cp_async_wait<0>();
      if (x.normalises()) {
        __syncthreads();
        normalise_halo(c, 0, 1);
      }
      if (cluster.shares()) {
        cluster.written();
        __syncthreads();
        cluster.send(c, cluster.slots(0, 1, kThreads));
      }
    }
    int tap[3] = {block.tap0 / (g.axis[1].taps * g.axis[2].taps), block.tap0 / g.axis[2].taps % g.axis[1].taps,
                  block.tap0 % g.axis[2].taps};
    const SharedAddress halo(halos + c % plan.buffers * plan.halo_bytes());
    for (int t = 0; t < taps; ++t) {
      cp_async_wait<kMmaStages - 2>();
      if (x.normalises() || cluster.shares()) {
        const bool some = arrived_t >= 0 && arrived_t < plan.parts && arrived_c < chunks;
        if (some && x.normalises()) normalise_halo(arrived_c, arrived_t, plan.parts);
        if (some) cluster.written();
      }
      __syncthreads();
      if (x.normalises() || cluster.shares()) {
        if (cluster.shares() && arrived_t >= 0 && arrived_t < plan.parts && arrived_c < chunks)
          cluster.send(arrived_c, cluster.slots(arrived_t, plan.parts, kThreads));
        if (++arrived_t == taps) arrived_t = 0, ++arrived_c;
      }
      load_next_weights((stage + kMmaStages - 1) % kMmaStages);
      if (t < plan.parts && c + plan.ahead < chunks) load_halo(c + plan.ahead, t, plan.parts);
      cp_async_commit();
      if (t == 0) cluster.wait_for(c);
      const int shift = tile.shift(tap[0], tap[1], tap[2]);
      const SharedAddress matrix(weights + stage * kColumns * kSlot + column * kSlot);
#pragma unroll(kExact ? 1 : kSlot / kMmaStep)
      for (int k = 0; k < kSlot / kMmaStep; ++k) {
        const auto load_a = [&](uint32_t(&a)[4], int i) { ldmatrix_x4(a, halo + swizzled(row[i] + shift, lane / 16 + 2 * k)); };
        const auto load_b = [&](uint32_t(&b)[4], int j) {
          ldmatrix_x4(b, matrix + (j * 16 * kSlot + (column_piece ^ 2 * k) * 16));
        };
        if constexpr (kExact) {
          uint32_t b[kN][4], b_rest[kN][4];
#pragma unroll
          for (int j = 0; j < kN; ++j) load_b(b[j], j), split_fragment(b[j], b_rest[j]);
#pragma unroll
          for (int i = 0; i < kM; ++i) {
            uint32_t a[4], a_rest[4];
            load_a(a, i);
            split_fragment(a, a_rest);
#pragma unroll
            for (int n = 0; n < 2 * kN; ++n) {
              const int h = n % 2 * 2;
              multiply_add_exactly(sum[i][n], a, a_rest, {b[n / 2][h], b[n / 2][h + 1]}, {b_rest[n / 2][h], b_rest[n / 2][h + 1]});
            }
          }
        } else {
          uint32_t a[kM][4];
#pragma unroll
          for (int i = 0; i < kM; ++i) load_a(a[i], i), round_fragment<T>(a[i]);
#pragma unroll
          for (int j = 0; j < kN; ++j) {
            uint32_t b[4];
            load_b(b, j);
#pragma unroll
            for (int i = 0; i < kM; ++i) {
              multiply_add<T>(sum[i][2 * j], a[i], b[0], b[1]);
              multiply_add<T>(sum[i][2 * j + 1], a[i], b[2], b[3]);
            }
          }
        }
      }
      stage = (stage + 1) % kMmaStages;
      if (++tap[2] == g.axis[2].taps) {
        tap[2] = 0;
        if (++tap[1] == g.axis[1].taps) tap[1] = 0, ++tap[0];
      }
    }
    cluster.end_chunk(c);
  }
  cp_async_wait<0>();
  cluster.end();

  const int64_t filters = int64_t(g.outputs) * g.groups;
  const int lane_row = lane / 4, lane_column = lane % 4 * 2;
  if (plan.shares() > 1) {
    float* const own = partial + int64_t(block.share) * g.out_voxels() * filters + int64_t(block.group) * g.outputs;
#pragma unroll
    for (int i = 0; i < kM; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int64_t voxel = voxel_of(g, tile, block, (warp_m * kM + i) * 16 + half * 8 + lane_row, true);
        if (voxel < 0) continue;
#pragma unroll
        for (int n = 0; n < 2 * kN; ++n)
          for (int e = 0; e < 2; ++e) {
            const int m = block.column0 + (warp_n * kN * 2 + n) * 8 + lane_column + e;
            if (m < g.outputs) own[voxel * filters + m] = sum[i][n][half * 2 + e];
          }
      }
    return;
  }

  store_outputs<T, kVoxels, kColumns, kWarpsM, kWarpsN>(g, TileOutputs{g, tile, block}, block, memory, sum, out);
}

// By a kernel of so many warps. exact: its weights are not rounded.
template <auto kKernel, class T>
void run_mma(Cuda on, const ConvGather& g, const MmaPlan& plan, int warps, bool exact, const WeightPack& pack, const GatherInput& x,
             const float* w, const GatherOutput<T>& out) {
  WeightPack padded = pack;
  padded.rows = (g.outputs + plan.columns - 1) / plan.columns * plan.columns;
  padded.columns = plan.input_chunks() * kMmaChunk<T>;
  const Scratch packed(on, packed_count(g, padded) * int64_t(sizeof(T)));
  pack_weights(on, g, padded, dtype_of<T> == DType::f32 && !exact, w, packed.as<T>());
  const int64_t filters = int64_t(g.outputs) * g.groups;
  const Scratch partial(on, plan.shares() > 1 ? plan.shares() * g.out_voxels() * filters * 4 : 0);
  const int64_t tiles = mma_tiles(g, plan.tile);
  const Grid grid{.x = tiles * plan.cluster(), .y = int64_t(padded.rows / plan.columns / plan.cluster_columns) * g.groups,
                  .z = plan.shares() / plan.cluster_taps, .threads = 32 * warps, .shared = plan.shared,
                  .cluster = plan.cluster()};
  const auto run = [&](const GatherOutput<T>& to) {
    launch<kKernel>(on, grid, first_slice(g, plan.sliced), plan, padded.rows, x, packed.as<T>(), to, partial.as<float>());
  };
  if (plan.shares() == 1) return with_moments(on, g, out, tiles, run);
  run(out);
  add_shares(on, g, plan.shares(), partial.as<float>(), out);
}

// Those whose plan has slices of the taps.
template <class T>
void conv_gather_mma_sliced(Cuda, const ConvGather&, const MmaPlan&, const WeightPack&, bool exact, const GatherInput& x, const float* w,
                            const GatherOutput<T>&);

}  // namespace voxgrad
