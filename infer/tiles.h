#pragma once
#include <cstdint>
#include <vector>

namespace voxgrad {

// Where the tiles of an axis begin.
enum class TilePlaces {
  spread,  // ceil((extent - patch) / (patch (1 - overlap))) + 1 tiles, evenly from 0 to extent - patch, rounded to voxels: nnU-Net
  stepped  // every floor(patch (1 - overlap)) voxels, at the least 1, the last one at extent - patch: MONAI's SlidingWindowInferer
};
// Importance of a voxel within its tile, of which the mean over tiles is weighted.
enum class TileWeights {
  gaussian,  // product over the axes of a gaussian around patch / 2 with sigma = patch / 8, scaled to a maximum of 10: nnU-Net. It is
             // positive everywhere: the patch ends at 4 sigma
  constant,  // 1
  floored    // product over the axes of exp(-x^2 / 2 sigma^2) with x from the middle of the tile, (patch - 1) / 2, and sigma = patch / 8,
             // but no less than kLeastImportance, as which it is no product any more: MONAI's mode gaussian
};
inline constexpr double kLeastImportance = 1e-3;

// extent <= patch: one tile at 0.
std::vector<int64_t> tile_starts(int64_t extent, int64_t patch, double overlap, TilePlaces = TilePlaces::spread);
// Along one axis, without the floor.
std::vector<double> tile_importance(int64_t patch, TileWeights = TileWeights::gaussian);

}  // namespace voxgrad
