#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/shape.h"

namespace voxgrad {

// Text for people, lines of "name  value".
// Geometry, dtype, statistics of the values; for integers of at most 256 values the voxels and volume of each.
// `series`: of a DICOM folder with several.
std::string describe_volume(const std::filesystem::path&, const std::string& series = {});
// Metadata, tensors with dtype and shape, number of parameters; what a network of this program was trained for.
std::string describe_checkpoint(const std::filesystem::path&);
// Kind, metadata, and tensors with dtype and shape, of weights that any program wrote.
std::string describe_weights(const std::filesystem::path&);
// The network and its preprocessing, of a model of another program (infer/model_source.h).
std::string describe_foreign_model(const struct ModelSource&, const std::filesystem::path&);
// Channels, labels, number of cases, ranges of extents and spacing; cases whose label has another grid than its image are named.
std::string describe_dataset(const std::filesystem::path& folder);

// A network that a configuration could name, before anything is trained.
struct NetworkInspection {
  std::string name;                                                // of the registry
  std::vector<std::pair<std::string, std::string>> options = {};  // keys below "network." and their values
  Int3 size = {64, 64, 64};                                        // of the input; 1 along D for images
  int in_channels = 1, out_channels = 2;
};
// Its layers with output shapes and parameters, FLOPs, and the memory of a training step with one sample.
std::string describe_network(const NetworkInspection&);

}  // namespace voxgrad
