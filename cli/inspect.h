#pragma once
#include <filesystem>
#include <string>

namespace voxgrad {

// Text for people, lines of "name  value".
// Geometry, dtype, statistics of the values; for integers of at most 256 values the voxels and volume of each.
std::string describe_volume(const std::filesystem::path&);
// Metadata, tensors with dtype and shape, number of parameters; what a network of this program was trained for.
std::string describe_checkpoint(const std::filesystem::path&);
// Channels, labels, number of cases, ranges of extents and spacing; cases whose label has another grid than its image are named.
std::string describe_dataset(const std::filesystem::path& folder);

}  // namespace voxgrad
