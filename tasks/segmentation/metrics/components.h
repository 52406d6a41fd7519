#pragma once
#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// The connected parts of an object, numbered from 1 in the order of their first voxel in memory.
struct Components {
  std::vector<int32_t> number;  // of each voxel; 0: not in the object
  std::vector<int64_t> voxels;  // of component i + 1
  int count() const { return int(voxels.size()); }
};

// mask: u8 {D, H, W}, the object is what is not 0. connectivity: 6 (voxels that share a face), 18 (or an edge) or 26 (or a corner).
Components connected_components(const Tensor& mask, int connectivity = 26);

// Voxels that each component of a has in common with each of b, of one shape. Pairs that share none are left out.
struct Overlap {
  int a = 0, b = 0;  // numbers, from 1
  int64_t voxels = 0;
};
std::vector<Overlap> overlaps(const Components& a, const Components& b);

}  // namespace voxgrad
