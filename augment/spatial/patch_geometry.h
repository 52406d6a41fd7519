#pragma once
#include <vector>

#include "augment/spatial/extract_patch.h"
#include "augment/spatial/resample_kernels.h"
#include "augment/spatial/window.h"

namespace voxgrad {

// How a patch comes out of a volume: the resampling, without its pointers, and where nothing but whole voxels is wanted (`whole`) the box
// that is copied.
struct PatchGeometry {
  ResampleProblem problem;
  VoxelWindow window;
  bool whole;
};
// What is resampled at once: an image (or vectors), labels or both, by their places among the fields; -1: none.
struct ResamplePass {
  int image = -1, labels = -1;
};
// The input in front, with the first labels.
std::vector<ResamplePass> resample_passes(const std::vector<Field>&);
// Checked in the name of `who`; image {D, H, W, C} is asked for its extents.
PatchGeometry patch_geometry(const char* who, const Tensor& image, const PatchPose&, Int3 patch, const ResampleOptions&);

}  // namespace voxgrad
