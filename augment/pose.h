#pragma once
#include "augment/sample.h"

namespace voxgrad {

using Matrix3 = std::array<Double3, 3>;
Matrix3 product(const Matrix3&, const Matrix3&);
Double3 product(const Matrix3&, const Double3&);
// Of a matrix without one it is an Error.
Matrix3 inverse(const Matrix3&);

// How a patch lies in its volume: output voxel i takes the value at centre + matrix (m(i) - (patch - 1) / 2), in voxels of the volume
// (the centre of voxel 0 is at 0), where m(i) = patch - 1 - i on mirrored axes and i on the others. Factors above 1 show more of the
// volume, so objects get smaller.
struct PatchPose {
  Double3 centre = {0, 0, 0};
  Matrix3 matrix = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  Bool3 mirror = {false, false, false};
};

}  // namespace voxgrad
