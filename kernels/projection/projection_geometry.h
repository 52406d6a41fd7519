#pragma once
#include <cstdint>
#include <vector>

#include "core/shape.h"

namespace voxgrad {

// How rays run through the slices of a volume {D, H, W}. The origin is the middle of the volume and lies on the axis of rotation, which is
// parallel to D; x runs along W, y along H, z along D. At the angle t the detector's columns run along (x, y) = (cos t, sin t) and the
// rays, or the one in the middle, along (-sin t, cos t).
//   parallel: rays of a view are parallel; every slice is projected by itself, and a detector row is a slice.
//   fan:      rays come from a point at the distance `source_distance` before the origin and meet a flat detector `detector_distance`
//             behind it; every slice is projected by itself.
//   cone:     the same with a detector of `rows` rows along z: rays cross slices.
// scikit-image's radon counts angles the other way and in degrees.
enum class Beam { parallel, fan, cone };

struct ProjectionGeometry {
  Beam beam = Beam::parallel;
  Int3 volume;                      // extents in voxels
  double voxel[3] = {1, 1, 1};      // mm along D, H, W
  std::vector<double> angles;       // radians, one per view
  int64_t columns = 1;              // of the detector
  double column_spacing = 1;        // mm
  double column_offset = 0;         // mm: where the detector's middle lies along its columns
  int64_t rows = 1;                 // of the detector, for cone beams
  double row_spacing = 1;           // mm
  double source_distance = 0;       // mm, for fan and cone beams
  double detector_distance = 0;     // mm

  int64_t views() const { return int64_t(angles.size()); }
  int64_t detector_rows() const { return beam == Beam::cone ? rows : volume.d; }
  // Where column k and row r of the detector lie, mm from its middle (columns: with the offset).
  double column_at(double k) const { return (k - double(columns - 1) / 2) * column_spacing + column_offset; }
  double row_at(double r) const { return (r - double(rows - 1) / 2) * row_spacing; }
  // {N, detector rows, views, columns, C} for images {N, D, H, W, C}
  Shape projections_of(const Shape& images) const { return {images[0], detector_rows(), views(), columns, images[4]}; }
  Shape images_of(const Shape& projections) const { return {projections[0], volume.d, volume.h, volume.w, projections[4]}; }
};

// n angles from `start` on, over `range` radians without its end.
std::vector<double> equal_angles(int64_t n, double range = 3.14159265358979323846, double start = 0);

// A slice of h x w pixels of 1 mm seen by parallel rays over half a turn, by a detector that reaches over the diagonal.
ProjectionGeometry parallel_geometry(int64_t h, int64_t w, int64_t views, int64_t slices = 1);

}  // namespace voxgrad
