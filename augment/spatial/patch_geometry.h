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
// Checked in the name of `who`; of a volume of that size, all of which is in memory.
PatchGeometry patch_geometry(const char* who, Int3 volume, const PatchPose&, Int3 patch, const ResampleOptions&);
// The same where that box of it is, and the voxels that may be read, those outside counted as the nearest voxel.
PatchGeometry held_in(PatchGeometry, const VoxelBox&);
VoxelBox reach_of(const PatchGeometry&);
// Error in the name of `who` where the volume lacks some of them.
void check_reach(const char* who, const Sample& volume, const PatchGeometry&);

}  // namespace voxgrad
