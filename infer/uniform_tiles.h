#pragma once
#include <optional>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Tiles in which every channel has one value, which look alike to a network: it is asked once. Without `empty` these are the ones that are
// the same bit for bit, so that no result changes. With it a tile counts as background where every channel stays within 1 % of its range in
// the volume from its background value, the lower quartile of the outermost voxels of the volume (six faces).
class UniformTiles {
 public:
  UniformTiles(const Tensor& image, bool empty);  // f32 {D, H, W, C}

  // Of a tile {1, d, h, w, C} that is uniform the value of each channel, or those of the background; else nothing.
  std::optional<std::vector<float>> values_of(const Tensor& tile) const;
  Tensor tile_of(const std::vector<float>& values, const Shape&) const;
  // What was kept for these values last; absent: nothing.
  Tensor outputs_of(const std::vector<float>& values) const;
  // Whether f32 outputs of this shape are kept: no more than 256 MB are.
  static bool has_room_for(const Shape&);
  void keep(const std::vector<float>& values, const Tensor& outputs);

 private:
  std::vector<float> background_, tolerance_;  // per channel; empty: bits count
  std::vector<float> kept_values_;
  Tensor kept_;
};

}  // namespace voxgrad
