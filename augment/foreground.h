#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

// Positions (d H + h) W + w of voxels, ascending. Copies share their memory, which may be that of a file.
class VoxelList {
 public:
  VoxelList() = default;
  VoxelList(std::vector<int64_t> voxels) {
    const auto kept = std::make_shared<const std::vector<int64_t>>(std::move(voxels));
    voxels_ = *kept;
    owner_ = kept;
  }
  VoxelList(std::span<const int64_t> voxels, std::shared_ptr<const void> owner) : voxels_(voxels), owner_(std::move(owner)) {}

  bool empty() const { return voxels_.empty(); }
  size_t size() const { return voxels_.size(); }
  const int64_t* data() const { return voxels_.data(); }
  int64_t operator[](size_t i) const { return voxels_[i]; }
  auto begin() const { return voxels_.begin(); }
  auto end() const { return voxels_.end(); }
  friend bool operator==(const VoxelList& a, const VoxelList& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

 private:
  std::span<const int64_t> voxels_;
  std::shared_ptr<const void> owner_;
};

// Where the foreground of a case is, so that patches can be centred on it without reading the label again.
struct ForegroundIndex {
  struct Class {
    int label;
    VoxelList voxels;  // never empty
  };
  std::vector<Class> classes;  // those present, ascending; empty for a case without foreground
  Int3 size;                   // of the label
  VoxelList annotated = {};  // of all labels but the ignored one, background too, where asked for
};

struct ForegroundOptions {
  int64_t keep = 10000;         // per class, at least min(keep, n) of its n voxels
  double keep_fraction = 0.01;  // and at least this part of them
  int ignore_label = 255;       // not foreground
  // Sets of labels that are the classes, numbered from 1, in place of each label for itself; they may overlap.
  std::vector<std::vector<int>> regions = {};
  bool annotated = false;  // whether to fill ForegroundIndex::annotated
};
// Voxels of each label but 0 and ignore_label, chosen at random where a class has more than are kept (nnU-Net's class_locations).
ForegroundIndex find_foreground(const Tensor& label, Rng, const ForegroundOptions& = {});

// Patch centres in voxels for extract_patch, such that a pose without rotation and scaling copies whole voxels. The patch lies inside
// the volume on every axis on which it fits, and has the volume in its middle on the others.
Double3 random_centre(Int3 volume, Int3 patch, Rng);  // uniform
// The same, but on an annotated voxel where the index has any: moved as little as is needed to lie inside.
Double3 annotated_centre(const ForegroundIndex&, Int3 patch, Rng);
// On a voxel of a class: the class is uniform among those present, then the voxel is uniform among its voxels; moved as little as is
// needed to lie inside. Without foreground, annotated_centre.
Double3 foreground_centre(const ForegroundIndex&, Int3 patch, Rng);

}  // namespace voxgrad
