#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/dtype.h"

namespace voxgrad {

// One patch to be cut out of one volume. The source coordinate on axis a of output voxel (i, j, k) is
// origin[a] + i step[0][a] + j step[1][a] + k step[2][a].
struct ResampleProblem {
  const float* image = nullptr;    // {held, channels}; none with 0 channels
  const uint8_t* label = nullptr;  // {held}, or null
  float* out_image = nullptr;
  uint8_t* out_label = nullptr;
  int64_t size[3], patch[3], channels = 1;
  double origin[3], step[3][3];
  int64_t begin[3], held[3];  // the box of the volume that is in memory; it has all voxels that the patch reaches into
  bool edge = false;     // taps outside: the nearest voxel, not 0
  bool nearest = false;  // label: the nearest voxel, not the largest interpolated label
  uint8_t outside = 0;   // label outside the volume
};

// Assigns rows [begin, end) of the patch's patch[0] * patch[1] rows.
namespace baseline {
void resample_rows(const ResampleProblem&, int64_t begin, int64_t end);
}
namespace avx2 {
void resample_rows(const ResampleProblem&, int64_t begin, int64_t end);
}
namespace avx512 {
void resample_rows(const ResampleProblem&, int64_t begin, int64_t end);
}

// Patches to be cut on a device, where their images and labels are. The table is in memory of the host.
void batch_resample(Cuda, const ResampleProblem*, int64_t count);
// v becomes matrix v for all `triples` vectors of each of n samples on the device; matrices {n, 3, 3} on the host.
void batch_vectors(Cuda, float* vectors, int64_t n, int64_t triples, const float* matrices);

}  // namespace voxgrad
