#pragma once
#include <vector>

#include "augment/batch.h"
#include "augment/intensity_plan.h"
#include "augment/patch_geometry.h"
#include "core/device/execution.h"

namespace voxgrad {

// All that is random about one patch of a batch, drawn.
struct PatchPlan {
  Sample volume;
  PatchGeometry geometry;
  IntensityPlan intensities;
};

// Assigns the samples of `out`, one per plan.
void make_batch(Cuda, const std::vector<PatchPlan>&, const Batch& out);

}  // namespace voxgrad
