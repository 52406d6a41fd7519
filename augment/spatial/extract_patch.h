#pragma once
#include "augment/pose.h"
#include "augment/sample.h"

namespace voxgrad {

enum class Border {
  zeros,  // taps outside the volume count as 0 (nnU-Net; after z-scoring that is the mean)
  edge    // the nearest voxel of the volume
};
enum class LabelSampling {
  linear,  // each label is a 0/1 image, interpolated as the image is; the largest wins, the lower label on a tie
  nearest
};

struct ResampleOptions {
  Border border = Border::zeros;
  LabelSampling label = LabelSampling::linear;
  int outside_label = 0;  // the label of everything outside the volume, whatever the border; 255 for losses that ignore 255
};

// Cuts {patch, C} out of the volume in one resampling: trilinear for images and vectors, LabelSampling for labels. A pose without rotation,
// scaling and fractions of a voxel copies values exactly. The patch may be larger than the volume or lie outside it.
// With x = origin + A i, the place x in the volume of output voxel i: vectors become A^-1 v, points A^-1 (p - origin), boxes the hull of
// their eight corners, clipped to the patch [-1/2, size - 1/2]; those of which nothing is left are dropped.
// A volume of which a box is there must have all voxels that the patch may reach into (reach_of).
Sample extract_patch(const Sample& volume, const PatchPose&, Int3 patch, const ResampleOptions& = {});

}  // namespace voxgrad
