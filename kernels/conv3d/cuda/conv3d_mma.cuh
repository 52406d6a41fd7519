#pragma once
// How conv3d_mma_cuda.cu cuts a gather into blocks. All of it follows from the shapes alone, so that sums are the same on every device.
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {

// Of a block: sm_86, sm_89 and sm_120 have 99 KiB, and two such blocks fit a multiprocessor of sm_90.
inline constexpr int64_t kMostMmaShared = 96 << 10;
inline constexpr int kSlot = 64, kPieces = kSlot / 16, kMmaStages = 4, kMmaStep = 32;
inline constexpr int kMostCluster = 8;  // blocks, that each device of clusters runs
template <class T>
inline constexpr int kMmaChunk = kSlot / int(sizeof(T));
inline constexpr int kNormBytes = kSlot / 2 * 8;  // of what normalises the channels of a slot, at most

// What a block reads of x for all taps (its halo) lies in shared memory as slots of 64 bytes of channels, W fastest. Eight neighbouring
// outputs read eight slots whose numbers differ modulo 8, whatever the tap, so that no two of their 16-byte pieces share a bank: lines and
// planes are padded to that end where a tile is narrower than 8, and with stride 2 along W the even positions of a line come before the
// odd ones. Piece p of slot s is at p ^ (s / 2 % 4).
struct MmaTile {
  int extent[3] = {0, 1, 1};  // outputs of a block along the axes, powers of two; 0: no tile fits
  int halo[3] = {1, 1, 1};    // positions of x
  int plane = 0, line = 0;    // slots from one plane and from one line to the next
  int odd = 0;                // slot of the first odd position of a line; 0: positions lie as they are
  int output[3] = {};         // slots from one output to the next
  int tap[3] = {};            // positions from one tap to the next
  int bits[2] = {};           // of the numbers of outputs of a plane and of a line, which are powers of two

  VOXGRAD_HD int voxels() const { return extent[0] << bits[0]; }
  VOXGRAD_HD int slots() const { return halo[0] * plane; }
  VOXGRAD_HD int table_bytes() const { return (slots() * 4 + 127) / 128 * 128; }  // of a number for each slot
  // Output v of the block along axis a, W fastest.
  VOXGRAD_HD int along(int a, int v) const {
    return a == 0 ? v >> bits[0] : a == 1 ? v >> bits[1] & (extent[1] - 1) : v & (extent[2] - 1);
  }
  // The slot that output v reads at tap 0.
  VOXGRAD_HD int slot(int v) const { return along(0, v) * output[0] + along(1, v) * output[1] + along(2, v) * output[2]; }
  // Slots from tap 0 to another one.
  VOXGRAD_HD int shift(int d, int h, int w) const {
    const int at = w * tap[2];
    return d * tap[0] * plane + h * tap[1] * line + (odd ? at / 2 + at % 2 * odd : at);
  }
};

// Blocks: tiles of all samples x blocks of `columns` output channels of all groups x shares of the sum, which are those of the chunks of 64
// bytes of input channels times those of the taps. On sm_90 so many blocks of channels times so many shares of the taps are a cluster, and
// share the halo of their tile (MmaCluster).
struct MmaPlan {
  MmaTile tile;
  int columns = 64;
  int chunks = 1;
  int chunk_shares = 1, tap_shares = 1;
  int cluster_columns = 1, cluster_taps = 1;
  int ahead = 1, buffers = 1;  // chunks of the halo that are loaded before they are needed (0: when they are), and that have room
  int parts = 1;               // of the taps of a chunk beside which a later chunk is loaded
  // Where no halo of all taps fits, the sum goes over slices of them: of one plane along D (1), of one line along H (2) or one tap (3),
  // each with a halo of its own. `chunks` are those of all slices then, of the same channels side by side. 0: it does not.
  int sliced = 0;
  int slices[3] = {1, 1, 1};  // along the axes
  int64_t shared = 0;         // bytes

  VOXGRAD_HD int shares() const { return chunk_shares * tap_shares; }
  VOXGRAD_HD int all_slices() const { return slices[0] * slices[1] * slices[2]; }
  VOXGRAD_HD int input_chunks() const { return chunks / all_slices(); }
  VOXGRAD_HD int halo_bytes() const { return tile.slots() * kSlot; }
  VOXGRAD_HD int norm_bytes() const { return buffers * kNormBytes; }
  VOXGRAD_HD int cluster() const { return cluster_columns * cluster_taps; }
  VOXGRAD_HD int barrier_bytes() const { return cluster() > 1 ? 128 : 0; }
  VOXGRAD_HD int before_halos() const { return barrier_bytes() + tile.table_bytes() + norm_bytes(); }
};
int64_t mma_tiles(const ConvGather&, const MmaTile&);

// Where slot s lies in the halo: positions along the axes. False: it is padding.
__device__ inline bool halo_position(const MmaTile& t, int slot, int (&at)[3]) {
  at[0] = slot / t.plane;
  at[1] = slot % t.plane / t.line;
  const int place = slot % t.plane % t.line;
  at[2] = t.odd == 0 ? place : place < t.odd ? 2 * place : 2 * (place - t.odd) + 1;
  return at[1] < t.halo[1] && at[2] < t.halo[2];
}
// The first outputs of tile `index` of all samples, which are of this extent; its sample.
__device__ inline int64_t tile_place(const ConvGather& g, const int (&extent)[3], int64_t index, int (&first)[3]) {
  uint32_t rest = uint32_t(index);  // tiles of more than 2^32 would be no tensor
  for (int a = 2; a >= 0; --a) {
    const uint32_t tiles = uint32_t(g.axis[a].count + extent[a] - 1) / uint32_t(extent[a]), next = rest / tiles;
    first[a] = int(rest - next * tiles) * extent[a];
    rest = next;
  }
  return rest;
}
__device__ inline int64_t tile_place(const ConvGather& g, const MmaTile& t, int64_t index, int (&first)[3]) {
  return tile_place(g, t.extent, index, first);
}
// The voxel of x at a position of the halo of the tile with these first outputs, counted on from sample n; false: x has none there.
template <class Index>
__device__ bool halo_voxel(const ConvGather& g, const int (&first)[3], const int (&at)[3], Index n, Index& voxel) {
  bool inside = true;
  voxel = n;
  for (int a = 0; a < 3; ++a) {
    const int i = first[a] * g.axis[a].in_step + g.axis[a].offset + at[a] * g.axis[a].unit();
    inside = inside && unsigned(i) < unsigned(g.axis[a].in);
    voxel = voxel * g.axis[a].in + i;
  }
  return inside;
}
// table[slot]: the voxel of x within its sample, -1 where there is none and zeros are read, -2 where nothing is read; of slots `from`,
// from + step .. below `end`.
__device__ inline void fill_slots(const ConvGather& g, const MmaTile& t, const int (&first)[3], int* table, int from, int step, int end) {
  for (int slot = from; slot < end; slot += step) {
    int at[3], voxel;
    const bool read = halo_position(t, slot, at), inside = halo_voxel(g, first, at, 0, voxel);
    table[slot] = !read ? -2 : inside ? voxel : -1;
  }
}
// Of all slots, by these threads.
__device__ inline void fill_table(const ConvGather& g, const MmaTile& t, const int (&first)[3], int* table, int thread, int threads) {
  fill_slots(g, t, first, table, thread, threads, t.slots());
}
// table[slot]: the position of a slot in the halo, 10 bits an axis, or -1 for padding. Where taps have slots apart they are those from
// first_tap to before end_tap.
inline constexpr int kMostPosition = 1023;
__device__ inline int packed_position(const int (&at)[3]) { return at[0] << 20 | at[1] << 10 | at[2]; }
__device__ inline void fill_positions(const MmaTile& t, int* table, int thread, int threads) {
  for (int slot = thread; slot < t.slots(); slot += threads) {
    int at[3];
    table[slot] = halo_position(t, slot, at) ? packed_position(at) : -1;
  }
}
__device__ inline void fill_positions_apart(const ConvGather& g, const MmaTile& t, int first_tap, int end_tap, int* table, int thread,
                                            int threads) {
  for (int slot = thread; slot < t.slots(); slot += threads) {
    const int v = slot % t.voxels(), tap = first_tap + slot / t.voxels();
    const int of[3] = {tap / (g.axis[1].taps * g.axis[2].taps), tap / g.axis[2].taps % g.axis[1].taps, tap % g.axis[2].taps};
    int at[3];
    for (int a = 0; a < 3; ++a) at[a] = (t.along(a, v) * g.axis[a].in_step + of[a] * g.axis[a].tap_step) / g.axis[a].unit();
    table[slot] = tap < end_tap ? packed_position(at) : -1;
  }
}
// Where the halo of a slice of the taps begins in x, and the distance of its positions.
struct SliceOrigin {
  int at[3], unit[3];

  __device__ SliceOrigin(const ConvGather& g, const int (&first)[3], const int (&slices)[3], int slice) {
    const int of[3] = {slice / (slices[1] * slices[2]), slice / slices[2] % slices[1], slice % slices[2]};
    for (int a = 0; a < 3; ++a) {
      at[a] = first[a] * g.axis[a].in_step + g.axis[a].offset + of[a] * g.axis[a].tap_step;
      unit[a] = g.axis[a].unit();
    }
  }
  // As in fill_slots.
  __device__ int voxel(const ConvGather& g, int packed) const {
    const int d = at[0] + (packed >> 20) * unit[0], h = at[1] + (packed >> 10 & 1023) * unit[1], w = at[2] + (packed & 1023) * unit[2];
    const bool inside =
        unsigned(d) < unsigned(g.axis[0].in) && unsigned(h) < unsigned(g.axis[1].in) && unsigned(w) < unsigned(g.axis[2].in);
    return packed < 0 ? -2 : inside ? (d * g.axis[1].in + h) * g.axis[2].in + w : -1;
  }
};
__device__ inline int swizzled(int slot, int piece) { return slot * kSlot + ((piece ^ (slot >> 1 & 3)) << 4); }
// The place of a piece of a row of the gradient of weights: of f32, lanes of four voxels and eight channels lie in different banks so.
template <class T>
__device__ int row_place(int slot, int piece) {
  return sizeof(T) == 2 ? swizzled(slot, piece) : slot * kSlot + ((piece ^ (slot & 2)) << 4);
}

// The tile of so many outputs (a power of two), in this shape; and the same with so many taps apart.
MmaTile mma_tile(const ConvGather&, int d, int h, int w);
MmaTile mma_tile_apart(const ConvGather&, int d, int h, int w, int taps);
// The gather of the first slice of the taps, which has one along the first `axes` axes; and how many voxels of a sample the halos of all
// tiles of this extent read together, of all slices.
ConvGather first_slice(const ConvGather&, int axes);
double sliced_voxels(const ConvGather&, int axes, const int (&tile)[3]);
// What a tile whose outputs share banks costs more: 1 where no two of eight neighbours do, as of all tiles but some of even strides, and
// half as much again for each pass that their operands take beyond the first.
double mma_tile_waits(const MmaTile&);
// Exact products take more registers, so that their tiles are no larger.
inline constexpr int kMostExactVoxels = 128, kMostExactColumns = 64;
inline constexpr int kSlicedVoxels = 128, kMostSlicedColumns = 128;
// For elements of so many bytes. tile.extent[0] is 0 where nothing fits shared memory.
MmaPlan mma_plan(const ConvGather&, int element, bool exact);
// The same with blocks that share halos, on a device.
MmaPlan mma_plan_on(Cuda, const ConvGather&, int element, bool exact);
// How many clusters of so many blocks the device runs at once; 0: it has none.
int mma_clusters_at_once(Cuda, int blocks);

}  // namespace voxgrad
