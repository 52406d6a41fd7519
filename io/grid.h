#pragma once
#include <string>

#include "io/volume.h"

namespace voxgrad {

// Where the voxels of a volume lie: extents along its axes D, H, W, and their affine.
struct Grid {
  int64_t size[3] = {1, 1, 1};
  Affine affine;
};
Grid grid_of(const Volume&);
Grid grid_of(const Shape&, const Affine&);  // {D, H, W} or {D, H, W, C}

// Two grids are the same where, once the axes of one are permuted and turned as those of the other run, their extents agree and the corners
// of their fields of view lie at most this far apart, in voxels along each axis of the first. It takes the place of nnU-Net's comparison of
// spacing, origin and direction.
constexpr double kSameGridVoxels = 0.05;

struct GridComparison {
  Orientation onto;     // axis a of the first grid is axis onto.axis[a] of the other, read backwards where onto.flip[a]
  bool extents = true;  // agree, after that
  double voxels = 0;    // the largest distance between corners
  double mm = 0;
  bool same() const { return extents && voxels <= kSameGridVoxels; }
};
// Works at any angle: the axes are compared with each other, not with those of the world.
GridComparison compare_grids(const Grid&, const Grid& other);

// The first sentence of a refusal: "label.nii.gz: lies on another grid than image.nii.gz: ... ".
std::string grid_difference(const GridComparison&, const Grid&, const std::string& name, const Grid& other, const std::string& other_name);

// What becomes of a volume on another grid.
enum class OtherGrid { refuse, resample_linear, resample_nearest };
// `v` on the grid `to`: its voxels moved where both are the same grid, which then counts as that of `to` to the last digit; else, as asked,
// an Error, or its values where the voxels of `to` lie: interpolated (then f32) or those of the nearest voxel; 0 outside of `v`.
Volume on_grid(const Volume& v, const std::string& name, const Grid& to, const std::string& to_name, OtherGrid = OtherGrid::refuse);

}  // namespace voxgrad
