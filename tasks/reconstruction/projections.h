#pragma once
#include <string>

#include "core/config/json.h"
#include "io/volume.h"
#include "kernels/projection/projection_geometry.h"

namespace voxgrad {

// Images from projections of CT without a trained network.
struct ProjectionsOptions {
  std::string method = "fbp";   // filtered back-projection (FDK of cones), sirt, cg (conjugate gradients) or total_variation
  std::string window = "hann";  // of fbp: ramp, shepp_logan, cosine, hamming, hann (layers/tomography)
  // What is not fitting is weighed against: cg: |x|^2 / 2 over the squared norm of the projector; total_variation: the sum of |gradient|,
  // for an image whose filtered back-projection is at most 1. Absent (below 0): 0, and 0.001.
  double weight = -1;
  int iterations = 0;  // at most; 0: 100 of sirt, 30 of cg, 300 of total_variation
  bool non_negative = false;  // of sirt and total_variation
};

// How a scan lies in space, of JSON: {"beam": "parallel", "fan" or "cone", "volume": [D, H, W] voxels of the image, "voxel": [..] mm along
// these, "angles": [..] degrees, or as many as there are views from "start" on over "range" degrees without its end (180, of fans and cones
// 360), "column_spacing", "column_offset", "row_spacing", "source_distance", "detector_distance": mm, see ProjectionGeometry}. Views,
// columns and rows are those of projections {rows, views, columns}. Errors say what is wanted in the name of `name`.
ProjectionGeometry geometry_from(const Json&, const Shape& projections, const std::string& name);

// The image {D, H, W, 1} of line integrals {rows, views, columns, 1} over mm, whose rows are slices, of a cone those of the detector.
Volume reconstruct_projections(const Tensor& projections, const ProjectionGeometry&, const ProjectionsOptions& = {});

}  // namespace voxgrad
