#pragma once
#include <filesystem>
#include <vector>

#include "data/label_map.h"
#include "io/volume.h"

namespace voxgrad {

// The mask u8 {D, H, W, 1} of the mean of probabilities in .npz files {K, D, H, W} of one case: the class with the largest mean, the first
// of equal ones, or every region whose mean is above 0.5, in the order of the map. One that does not say where it lies does so where
// the mask of its name beside it does. Errors where they are of other extents, channels or grids than the first. mean: where to write the
// mean as such a file; empty: nowhere. Held are one channel of each file and of the result.
Volume ensemble_files(const std::vector<std::filesystem::path>&, const LabelMap& = {}, const std::filesystem::path& mean = {});

}  // namespace voxgrad
