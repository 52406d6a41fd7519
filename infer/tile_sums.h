#pragma once
#include <array>
#include <vector>

#include "infer/sliding_window.h"

// Within infer: the weighted sum over tiles that the sliding window hands over in rows.
namespace voxgrad {

// The tiles along one axis. Positions of tiles are those of the padded extent; `pad` voxels of it lie before the volume.
struct TileAxis {
  int64_t extent, patch, pad;
  std::vector<int64_t> starts;
  std::vector<float> weight;  // {tiles, patch}: importance, divided by its sum over the tiles that contain the voxel unless it is floored

  TileAxis(int64_t extent, int axis, const SlidingWindowOptions&);
  // Voxels [first, last) of tile t lie in the volume, the first of them at `position` there.
  struct Overlap {
    int64_t first, last, position;
  };
  Overlap overlap(int64_t t) const;
};

// One call's worth of one tile: its place in the grid, and the axes it is mirrored along.
struct TileJob {
  std::array<int64_t, 3> tile;
  std::array<bool, 3> flip;
};

// Holds rows of one patch depth; where there is only one tile, of as many planes as are added at once.
class TileSums {
 public:
  // Both must outlive it. single: there is one job.
  TileSums(const std::array<TileAxis, 3>&, const SlidingWindowOptions&, bool single, const RowSink&);

  // sum += weight * outputs, over the part of the tile that lies in the volume. y: those of one tile, an Error where they are not finite or
  // not as many as those before. Jobs come in the order of their places along D; rows that no further job adds to are handed over.
  void add(const SlabOutputs& y, const TileJob&);
  // The job that comes next: what it does not add to is handed over before its outputs exist, for the sake of memory.
  void reach(const TileJob&);
  void finish();

 private:
  void start(int64_t classes);
  void add_planes(const Tensor& planes, int64_t begin, const TileJob&, int64_t base);
  void hand_over(int64_t first, int64_t rows);

  const std::array<TileAxis, 3>& axes_;
  const SlidingWindowOptions& options_;
  const bool single_;
  const RowSink& sink_;
  int64_t classes_ = 0, planes_at_once_ = 0, slab_ = 0;  // slab_: the tiles of this place along D are being added
  std::vector<float> row_weight_;  // weights along W, once per class
  std::vector<float> floored_;     // importance of a tile's voxels, where that is no product over the axes
  Tensor sum_;                     // {rows, H, W, K}
  Tensor count_;                   // {rows, H, W, 1}: floored importance added to them
};

}  // namespace voxgrad
