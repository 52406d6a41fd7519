#pragma once
// How conv3d_wgmma_weights_cuda.cu cuts the gradient of weights. All of it follows from the shapes alone.
#include "kernels/conv3d/cuda/conv3d_wgmma.cuh"

namespace voxgrad {

// A block of the GPU sums, over its share of the tiles of voxels, gw of `columns` output channels, of 64 bytes of input channels and of a
// group of taps. The rows of a product are 16 channels of x at a tap for each warp, loaded into registers from the halo, which lies in
// shared memory as in WgmmaPlan; its columns are output channels of gy. With `lines` those of the three taps along H side by side: a line
// of x meets three lines of gy, which lie one behind the other. The voxels of a tile are then those of x along H, and taps those of the
// other axes.
struct WgmmaWeightsPlan {
  ConvGather cut;  // what tiles and halos are those of
  MmaTile tile;    // extent[0]: 0 where none fits
  int lines = 1, columns = 32, column_blocks = 1;
  int blocks[kWgmmaConsumers] = {};  // of 64 rows, of each warpgroup
  int chunks = 1, tap_groups = 1;
  bool boxes = false;  // the halo of x is that, as in WgmmaPlan
  int plane = 0;      // slots from a plane of 16 bytes of x to the next
  int pitch = 0;      // 16 bytes from eight output channels of gy (f32: from four voxels) to the next ones
  int gy_lines = 1;   // of a plane of the tile, from gy_first on
  int gy_first = 0;
  int stages = 0;
  // Blocks of a cluster, which have the same share: so many chunks of x times blocks of channels of gy times groups of taps.
  int cluster = 1, cluster_chunks = 1, cluster_columns = 1, cluster_taps = 1;
  int64_t tiles = 0, shares = 0;
  int64_t shared = 0;  // bytes

  // Clusters along each of these; the last one may have blocks that have nothing to sum.
  VOXGRAD_HD int chunk_clusters() const { return (chunks + cluster_chunks - 1) / cluster_chunks; }
  VOXGRAD_HD int column_clusters() const { return (column_blocks + cluster_columns - 1) / cluster_columns; }
  VOXGRAD_HD int tap_clusters() const { return (tap_groups + cluster_taps - 1) / cluster_taps; }
  VOXGRAD_HD int64_t share_clusters() const { return int64_t(cut.groups) * column_clusters() * chunk_clusters() * tap_clusters(); }

  VOXGRAD_HD int group_taps() const { return (cut.taps + tap_groups - 1) / tap_groups; }
  VOXGRAD_HD int gy_voxels() const { return tile.extent[0] * gy_lines * tile.extent[2]; }
  VOXGRAD_HD int halo_bytes() const { return boxes ? boxed_bytes(tile) : kPieces * plane * 16; }
  VOXGRAD_HD int table_bytes() const { return boxes ? 0 : tile.table_bytes(); }
  VOXGRAD_HD int gy_bytes(int element) const {
    if (lines > 1) return tile.extent[0] * gy_lines * columns / 8 * pitch * 16;
    return (element == 2 ? columns / 8 : gy_voxels() / 4) * pitch * 16;
  }
  // gy of a tile in units, of which any that follow each other are so many runs of bytes, `pitch` slots apart: lines, voxels (f32: four).
  VOXGRAD_HD int gy_units(int element) const {
    return lines > 1 ? tile.extent[0] * gy_lines : element == 2 ? gy_voxels() : gy_voxels() / 4;
  }
  VOXGRAD_HD int gy_runs(int element) const { return lines == 1 && element == 2 ? columns / 8 : 1; }
  VOXGRAD_HD int gy_unit_bytes(int element) const { return lines > 1 ? columns / 8 * pitch * 16 : element == 2 ? 16 : pitch * 16; }
  VOXGRAD_HD int stage_bytes(int element) const { return halo_bytes() + gy_bytes(element); }
  VOXGRAD_HD int barrier_bytes() const { return 128; }
};

// For elements of so many bytes; by boxes: of two alone.
WgmmaWeightsPlan wgmma_weights_plan(const ConvGather& forward, int element, bool boxes = false);
// The same with blocks that share what they load, on a device.
WgmmaWeightsPlan wgmma_weights_plan_on(Cuda, const ConvGather& forward, int element, bool boxes);

}  // namespace voxgrad
