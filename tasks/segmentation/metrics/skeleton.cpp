#include "tasks/segmentation/metrics/skeleton.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <utility>
#include <vector>

#include "core/error.h"

namespace voxgrad {
namespace {

// The 3 x 3 x 3 voxels around one as bits, that itself in the middle.
using Around = uint32_t;
constexpr int kMiddle = 13;

struct NeighbourTables {
  Around adjacent[27] = {};  // of each its 26 neighbours, within the 27
  // Faces, edges and corners of the voxel in the middle: the other voxels that share each, and +1 for faces and corners, -1 for edges.
  struct Part {
    Around others = 0;
    int sign = 1;
  };
  std::vector<Part> parts;
};

NeighbourTables made_tables() {
  NeighbourTables t;
  const auto place = [](int i, int axis) { return axis == 0 ? i / 9 - 1 : axis == 1 ? i / 3 % 3 - 1 : i % 3 - 1; };
  for (int i = 0; i < 27; ++i) {
    NeighbourTables::Part part{.sign = -1};
    for (int a = 0; a < 3; ++a) part.sign *= place(i, a) != 0 ? -1 : 1;
    for (int j = 0; j < 27; ++j) {
      bool near = i != j, within = j != kMiddle;
      for (int a = 0; a < 3; ++a) {
        near = near && std::abs(place(i, a) - place(j, a)) <= 1;
        within = within && (place(j, a) == 0 || place(j, a) == place(i, a));
      }
      if (near) t.adjacent[i] |= Around(1) << j;
      if (within) part.others |= Around(1) << j;
    }
    if (i != kMiddle) t.parts.push_back(part);
  }
  return t;
}

const NeighbourTables& neighbour_tables() {
  static const NeighbourTables tables = made_tables();
  return tables;
}

// An object in a frame of voxels that are not of it.
class Thinning {
 public:
  Thinning(const Tensor& mask, uint8_t label, const Box& box) {
    for (size_t a = 0; a < 3; ++a) size_[a] = box.end[a] - box.begin[a] + 2;
    inside_.resize(size_t(size_[0] * size_[1] * size_[2]));
    const auto from = mask.data<uint8_t>();
    for (int64_t d = box.begin[0]; d < box.end[0]; ++d)
      for (int64_t h = box.begin[1]; h < box.end[1]; ++h)
        for (int64_t w = box.begin[2]; w < box.end[2]; ++w) {
          if (from[size_t((d * mask.dim(1) + h) * mask.dim(2) + w)] != label) continue;
          const int64_t at = ((d - box.begin[0] + 1) * size_[1] + h - box.begin[1] + 1) * size_[2] + w - box.begin[2] + 1;
          inside_[size_t(at)] = 1;
          voxels_.push_back(at);
        }
    for (int i = 0; i < 27; ++i) step_[i] = ((i / 9 - 1) * size_[1] + i / 3 % 3 - 1) * size_[2] + i % 3 - 1;
    // In the order of scikit-image, whose first axis is that of a flat volume; a side along an axis of one voxel is no side.
    std::array<int, 3> axes = {0, 1, 2};
    std::stable_partition(axes.begin(), axes.end(), [&](int a) { return mask.dim(a) == 1; });
    const int64_t along[3] = {size_[1] * size_[2], size_[2], 1};
    constexpr std::pair<size_t, int> sides[6] = {{1, -1}, {1, 1}, {2, 1}, {2, -1}, {0, 1}, {0, -1}};
    for (const auto& [axis, way] : sides)
      if (mask.dim(axes[axis]) > 1) sides_.push_back(way * along[axes[axis]]);
  }

  void run() {
    for (size_t unchanged = 0; unchanged < sides_.size();) {
      unchanged = 0;
      for (int64_t side : sides_) unchanged += !thin(side);
    }
  }
  Tensor result() const {
    const Tensor out = Tensor::zeros({size_[0] - 2, size_[1] - 2, size_[2] - 2}, DType::u8);
    for (int64_t at : voxels_)
      out.mutable_data<uint8_t>()[size_t(
          ((at / (size_[1] * size_[2]) - 1) * (size_[1] - 2) + at / size_[2] % size_[1] - 1) * (size_[2] - 2) + at % size_[2] - 1)] = 1;
    return out;
  }

 private:
  // Without the voxel itself.
  Around around(int64_t at) const {
    Around out = 0;
    for (int i = 0; i < 27; ++i) out |= Around(inside_[size_t(at + step_[i])]) << i;
    return out & ~(Around(1) << kMiddle);
  }
  bool joined(Around others) const {
    if (others == 0) return true;
    Around reached = others & -others, edge = reached;
    while (edge) {
      const Around next = tables_.adjacent[std::countr_zero(edge)] & others & ~reached;
      edge = (edge & (edge - 1)) | next;
      reached |= next;
    }
    return reached == others;
  }
  // Faces, edges and corners that vanish with the voxel, and itself, are as many of either sign: Euler's characteristic stays.
  bool keeps_euler(Around others) const {
    int change = -1;
    for (const auto& p : tables_.parts)
      if ((others & p.others) == 0) change += p.sign;
    return change == 0;
  }
  bool thin(int64_t side) {
    std::vector<int64_t> candidates;
    for (int64_t at : voxels_) {
      if (inside_[size_t(at + side)]) continue;
      const Around others = around(at);
      if (std::popcount(others) != 1 && keeps_euler(others) && joined(others)) candidates.push_back(at);
    }
    bool changed = false;
    for (int64_t at : candidates) {
      if (!joined(around(at))) continue;
      inside_[size_t(at)] = 0;
      changed = true;
    }
    if (changed) std::erase_if(voxels_, [&](int64_t at) { return inside_[size_t(at)] == 0; });
    return changed;
  }

  const NeighbourTables& tables_ = neighbour_tables();
  int64_t size_[3] = {}, step_[27] = {};
  std::vector<uint8_t> inside_;
  std::vector<int64_t> voxels_, sides_;  // of the object, in raster order; steps
};

}  // namespace

Tensor skeleton_of(const Tensor& mask, uint8_t label, const Box& box) {
  check(mask && mask.dtype() == DType::u8 && mask.shape().rank == 3, "skeleton_of: a mask u8 {D, H, W} is wanted, not ", mask);
  if (box.empty()) return Tensor::zeros({0, 0, 0}, DType::u8);
  Thinning t(mask, label, box);
  t.run();
  return t.result();
}

}  // namespace voxgrad
