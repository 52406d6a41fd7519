#pragma once
// How conv3d_wgmma_cuda.cu cuts a gather into tiles. All of it but the number of blocks follows from the shapes alone.
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

inline constexpr int64_t kMostWgmmaShared = 227 << 10;
inline constexpr int kWgmmaRows = 64, kWgmmaConsumers = 2;  // outputs of a product; warpgroups that multiply

// Of the halo of a tile that lies as boxes (lay_boxes): how many there are, bytes of each and of all with the gap between them, and
// positions along W that they read beyond the halo, as many odd ones as even ones.
VOXGRAD_HD inline int halo_boxes(const MmaTile& t) { return t.odd ? 2 : 1; }
VOXGRAD_HD inline int box_bytes(const MmaTile& t) { return t.slots() * kSlot; }
VOXGRAD_HD inline int boxed_bytes(const MmaTile& t) { return (t.odd + t.slots() + 1) / 2 * 2 * kSlot; }
VOXGRAD_HD inline int more_positions(const MmaTile& t) { return t.odd ? 2 * t.line - t.halo[2] : 0; }

// A block of the GPU works through items: a tile of outputs, `columns` output channels and a share of the sum. The halo of a tile lies in
// shared memory as planes of 16 bytes of channels, in which eight neighbouring outputs along W are 128 bytes without a gap, and any eight
// of these at one distance from each other are the 64 rows of a product. A tap is another address of the first row. By boxes (box_copy) it
// is rows of 64 bytes with a swizzle instead, and with stride 2 along W a box of the even positions and one of the odd ones.
struct WgmmaPlan {
  MmaTile tile;     // extent[0]: 0 where none fits
  int across = 1;   // axis along which a product has its eight times eight outputs; 2: all 64 along W
  int blocks = 2;   // products of a warpgroup side by side
  int columns = 64, column_blocks = 1;
  int chunks = 1, chunk_shares = 1, tap_shares = 1;
  int parts = 1;    // of an element: 2, its tf32 and what is missing, where f32 is multiplied exactly
  bool boxes = false;
  int plane = 0;    // slots from a plane of 16 bytes to the next
  int halos = 2, stages = 4, stage_taps = 1;  // buffers of halos, of weights, and taps that lie in one of these
  // Blocks of a cluster: so many neighbouring tiles, whose blocks share the weights, times so many blocks of channels, whose blocks share
  // the halo of their tile.
  int cluster_tiles = 1, cluster_columns = 1;
  int64_t tiles = 0, tile_groups = 0, items = 0;
  int64_t shared = 0;  // bytes

  VOXGRAD_HD int shares() const { return chunk_shares * tap_shares; }
  VOXGRAD_HD int cluster() const { return cluster_tiles * cluster_columns; }
  VOXGRAD_HD int halo_bytes() const { return boxes ? boxed_bytes(tile) : parts * kPieces * plane * 16; }
  VOXGRAD_HD int table_bytes() const { return boxes ? 0 : tile.table_bytes(); }
  VOXGRAD_HD int tap_bytes() const { return parts * columns * kSlot; }
  VOXGRAD_HD int stage_bytes() const { return stage_taps * tap_bytes(); }
  VOXGRAD_HD int barrier_bytes() const { return (2 * (halos + stages) * 8 + 127) / 128 * 128; }
  // Bytes between eight outputs of a product and the next eight.
  VOXGRAD_HD int down() const { return (boxes ? kSlot : 16) * (across == 2 ? 8 : tile.output[across]); }
  // Along the axes, row `row` of block `block` of the tile.
  VOXGRAD_HD void place(int block, int row, int (&at)[3]) const {
    const int eight = row / 8, wide = across == 2 ? kWgmmaRows : 8, along_w = tile.extent[2] / wide;
    at[2] = block % along_w * wide + (across == 2 ? row : row % 8);
    const int rest = block / along_w;
    if (across == 0) {
      const int high = tile.extent[0] / 8;
      at[0] = rest % high * 8 + eight;
      at[1] = rest / high;
    } else {
      const int high = across == 1 ? tile.extent[1] / 8 : tile.extent[1];
      at[1] = across == 1 ? rest % high * 8 + eight : rest % high;
      at[0] = rest / high;
    }
  }
};

// Columns of all products of a warpgroup, of parts each, that leave registers for GatherSums.
inline constexpr int kMostSummedColumns = 160;
// For elements of so many bytes, exact: f32 by products of parts; by boxes: only elements as they are; summed: with GatherSums.
// tile.extent[0] is 0 where it cannot be done so.
WgmmaPlan wgmma_plan(const ConvGather&, int element, bool exact, bool boxes = false, bool summed = false);
// The same with blocks of channels that share halos, on a device.
WgmmaPlan wgmma_plan_on(Cuda, const ConvGather&, int element, bool exact, bool boxes, bool summed);
// How many clusters of so many blocks, each of which takes a multiprocessor, the device runs at once.
int wgmma_clusters_at_once(Cuda, int blocks);
// Whether channels can be copied in boxes of 64 bytes.
bool boxes_are_possible(const ConvGather&, int element);
// Places the halo of a tile, whose lines have no gaps, as boxes; false where the hardware has none such.
bool lay_boxes(const ConvGather&, MmaTile&);

}  // namespace voxgrad
