#pragma once
#include "augment/sample.h"
#include "data/preprocess.h"

namespace voxgrad {

// Places (d, h, w) in voxels, the centre of the first voxel at 0, of a file and of what the network sees of it.
Double3 in_working_voxels(const Double3& in_file, const Geometry&);
Double3 in_file_voxels(const Double3& in_working, const Geometry&);

}  // namespace voxgrad
