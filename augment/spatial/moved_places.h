#pragma once
#include "augment/spatial/patch_geometry.h"

namespace voxgrad {

// From voxels of a volume to those of a patch: inverse (x - origin).
struct PatchMap {
  Double3 origin;
  Matrix3 inverse;
};
PatchMap patch_map(const char* who, const PatchGeometry&);

// Of a field that is no array of voxels: its tensor for the patch. Values are the same tensor.
Tensor moved(const Field&, const PatchMap&, Int3 patch);

// v becomes inverse v, in place, for vectors f32 {D, H, W, 3k}.
void turn_vectors(const Tensor& vectors, const PatchMap&);

}  // namespace voxgrad
