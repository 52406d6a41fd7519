#pragma once
#include <string>
#include <vector>

#include "augment/sample.h"

namespace voxgrad {

// What is known of a field whose voxels are elsewhere.
struct StoredField {
  std::string name;
  DataKind kind = DataKind::image;
  DType dtype = DType::f32;
  Shape shape;  // of the whole volume
};

// A sample that is not in memory, of which boxes are read. Safe to use from several threads.
class StoredSample {
 public:
  virtual ~StoredSample() = default;
  virtual const std::vector<StoredField>& fields() const = 0;  // the network's input in front
  virtual Int3 size() const = 0;                               // voxels
  // The voxels of a box within the volume, and all of what is no array of voxels.
  virtual Sample part(const VoxelBox&) const = 0;
  Sample whole() const { return part({{0, 0, 0}, size()}); }
};

}  // namespace voxgrad
