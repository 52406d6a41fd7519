#pragma once
#include "models/model_registry.h"

namespace voxgrad {

constexpr double kMostPatchVoxels = 128. * 128 * 128;

// A patch of about the median case, of at most `most_voxels`: each extent that is not asked for is a multiple of the divisor, at least
// twice it. Error where one that is asked for is no multiple.
Int3 planned_patch(const PlanRequest&, const Int3& divisor, double most_voxels);

}  // namespace voxgrad
