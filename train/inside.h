#pragma once
#include <vector>

#include "augment/sample.h"
#include "data/description.h"

namespace voxgrad {

// What nnU-Net's trainer does behind its augmentation (MaskImageTransform): where the field "inside" of a batch is 0, channels that are
// normalised within a mask become 0; others stay. The field is taken out. A batch without it is given back.
Batch zero_outside(const Batch&, const std::vector<Normalization>& channels);

}  // namespace voxgrad
