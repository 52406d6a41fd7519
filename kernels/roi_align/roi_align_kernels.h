#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// x {n, size, channels}, y {rois, bins, channels}. A bin has `taps` voxels along each axis: of roi r, axis a and bin b of it the taps begin
// at (r (bins[0] + bins[1] + bins[2]) + those of the axes before + b) taps of `voxel` i64 and `weight` f64.
struct RoiAlign {
  int64_t n, size[3], channels, rois, bins[3], taps;
};
// image i64 {rois}; these tables are host memory.
struct RoiTables {
  const int64_t* image;
  const int64_t* voxel;
  const double* weight;
};
void roi_align(Cpu, const RoiAlign&, const RoiTables&, View x, View y);
void roi_align(Cuda, const RoiAlign&, const RoiTables&, View x, View y);
// gx is assigned.
void roi_align_backward(Cpu, const RoiAlign&, const RoiTables&, View gy, View gx);
void roi_align_backward(Cuda, const RoiAlign&, const RoiTables&, View gy, View gx);

}  // namespace voxgrad
