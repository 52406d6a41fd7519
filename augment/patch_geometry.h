#pragma once
#include "augment/resample_kernels.h"
#include "augment/spatial.h"
#include "augment/window.h"

namespace voxgrad {

// How a patch comes out of a volume: the resampling, without its pointers, and where nothing but whole voxels is wanted (`whole`) the box
// that is copied.
struct PatchGeometry {
  ResampleProblem problem;
  VoxelWindow window;
  bool whole;
};
// Checked in the name of `who`; image {D, H, W, C} is asked for its extents.
PatchGeometry patch_geometry(const char* who, const Tensor& image, const PatchPose&, Int3 patch, const ResampleOptions&);

}  // namespace voxgrad
