#pragma once
#include "tasks/segmentation/distance.h"

namespace voxgrad {

// Surfaces as elements with areas, as DeepMind's surface-distance (Nikolov et al. 2018): an element lies at each corner of voxels whose
// eight voxels are neither all in the object nor all outside it (what lies outside the volume is outside the object). Its area in mm2 is
// that of the triangles by which marching cubes would cut these eight; its distance that of the corner to the nearest such corner of the
// other object.
struct SurfaceElements {
  struct Element {
    float distance_mm = 0, area_mm2 = 0;
  };
  std::vector<Element> prediction, reference;  // with distances to the other one; infinite where that is empty
};
// prediction, reference: u8 {D, H, W} of one shape, 0 or 1.
SurfaceElements surface_elements(const Tensor& prediction, const Tensor& reference, const Spacing&);

// Share of the area of both surfaces that lies within `tolerance_mm` of the other. NaN if both are empty, 0 if one is.
double surface_dice(const SurfaceElements&, double tolerance_mm);

// Area in mm2 of the element between eight voxels, bit 4 d + 2 h + w of `corners` for the one at (d, h, w).
double element_area(int corners, const Spacing&);

}  // namespace voxgrad
