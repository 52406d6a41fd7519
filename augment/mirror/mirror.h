#pragma once
#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

// Mirrors about the patch centre: fused into PatchPose::mirror by augmented_patch, or applied by mirror().
struct MirrorOptions {
  double probability = 0.5;         // per axis, independently
  Bool3 axes = {true, true, true};  // axes that may be mirrored; switch off where left and right have different labels
};
Bool3 random_mirror(const MirrorOptions&, Rng);
// Reverses the axes that are true; returns the sample itself where none is.
Sample mirror(const Sample&, const Bool3& axes);

}  // namespace voxgrad
