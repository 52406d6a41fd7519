#pragma once
#include "augment/sample.h"

namespace voxgrad {

// A box of whole voxels of a volume: voxels [start, start + extent) of a volume of `size`, each axis reversed or not.
struct VoxelWindow {
  int64_t start[3], size[3], extent[3];
  Bool3 reversed;
  int64_t begin[3], held[3];  // the box of the volume that is in memory, which has all voxels that are asked for
};

// Voxels outside the volume take the nearest voxel where `edge` says so, else `outside`.
void copy_window(const VoxelWindow&, const float* from, float* to, int64_t channels, bool edge);
void copy_window(const VoxelWindow&, const uint8_t* from, uint8_t* to, uint8_t outside);

}  // namespace voxgrad
