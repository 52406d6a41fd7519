#pragma once
#include "data/fingerprint.h"
#include "train/config.h"

namespace voxgrad {

// All that is needed to train on the data set and to use what is trained: target spacing, normalisation, and a network that the model
// registry plans for them (patch, strides, kernels, channels), from the fingerprint and what the configuration fixes. outputs: names of the
// network's output channels, from the task; dense: it gives values per voxel.
ModelDescription plan(const Dataset&, const Fingerprint&, const TrainConfig&, const std::vector<std::string>& outputs, bool dense = true);

}  // namespace voxgrad
