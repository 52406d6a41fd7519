#pragma once
#include "io/dataset.h"
#include "train/config.h"
#include "train/description.h"

namespace voxgrad {

// What a plan needs to know of the training cases.
struct Fingerprint {
  std::vector<Int3> extents;                    // canonical, at the file's spacing
  std::vector<std::array<double, 3>> spacings;  // mm
  // Foreground voxels, per channel: for ct normalisation.
  std::vector<Normalization> foreground;
};

// Reads every training case once. Refuses images and labels of different shape, labels outside the declared classes and voxels that are
// not finite (unless they are to be taken as 0), each by the name of its file.
Fingerprint fingerprint(const Dataset&, const std::vector<std::string>& ids, const DataConfig&);

// Patch, strides, kernels, channels and normalisation from the fingerprint and what the configuration fixes. The rules are nnU-Net's
// (features.md of the field: Isensee et al., Nature Methods 2021): an axis is halved while its extent is at least 8 and its spacing is
// within 2x of the finest; kernels are 1 along an axis until its spacing is within 2x; the patch is a multiple of its strides.
ModelDescription plan(const Dataset&, const Fingerprint&, const TrainConfig&);

}  // namespace voxgrad
