#include "tasks/segmentation/metrics/components.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/error.h"

namespace voxgrad {
namespace {

// Sets of numbers; the least of a set stands for it.
class Sets {
 public:
  int32_t make() {
    parent_.push_back(int32_t(parent_.size()));
    return parent_.back();
  }
  int32_t find(int32_t i) {
    while (parent_[size_t(i)] != i) i = parent_[size_t(i)] = parent_[size_t(parent_[size_t(i)])];
    return i;
  }
  void join(int32_t a, int32_t b) {
    a = find(a), b = find(b);
    parent_[size_t(std::max(a, b))] = std::min(a, b);
  }
  size_t size() const { return parent_.size(); }

 private:
  std::vector<int32_t> parent_;
};

struct Step {
  int d, h, w;
};

// Neighbours that come earlier in memory.
std::vector<Step> steps_before(int connectivity) {
  const int most = connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3;  // axes along which a neighbour may differ
  std::vector<Step> out;
  for (int d = -1; d <= 0; ++d)
    for (int h = -1; h <= 1; ++h)
      for (int w = -1; w <= 1; ++w) {
        const bool before = d < 0 || (d == 0 && (h < 0 || (h == 0 && w < 0)));
        if (before && std::abs(d) + std::abs(h) + std::abs(w) <= most) out.push_back({d, h, w});
      }
  return out;
}

}  // namespace

Components connected_components(const Tensor& mask, int connectivity) {
  check(mask && mask.dtype() == DType::u8 && mask.shape().rank == 3, "connected_components: a mask u8 {D, H, W} is wanted, not ", mask);
  check(connectivity == 6 || connectivity == 18 || connectivity == 26, "connected_components: the connectivity ", connectivity,
        " is none of 6, 18, 26");
  const int64_t depth = mask.dim(0), height = mask.dim(1), width = mask.dim(2);
  const uint8_t* m = mask.view().as<uint8_t>();
  Components out;
  out.number.assign(size_t(mask.count()), 0);
  Sets sets;
  sets.make();  // 0: outside
  const std::vector<Step> steps = steps_before(connectivity);
  for (int64_t d = 0; d < depth; ++d)
    for (int64_t h = 0; h < height; ++h)
      for (int64_t w = 0; w < width; ++w) {
        const int64_t at = (d * height + h) * width + w;
        if (!m[at]) continue;
        int32_t mine = 0;
        for (const Step& s : steps) {
          const int64_t y = h + s.h, x = w + s.w;
          if (d + s.d < 0 || y < 0 || y >= height || x < 0 || x >= width) continue;
          const int32_t other = out.number[size_t(((d + s.d) * height + y) * width + x)];
          if (other == 0) continue;
          if (mine == 0) mine = other;
          else if (other != mine) sets.join(mine, other);
        }
        out.number[size_t(at)] = mine ? mine : sets.make();
      }
  std::vector<int32_t> final_number(sets.size(), 0);
  for (size_t i = 1; i < sets.size(); ++i) {
    const int32_t root = sets.find(int32_t(i));
    if (root == int32_t(i)) {
      out.voxels.push_back(0);
      final_number[i] = int32_t(out.voxels.size());
    } else {
      final_number[i] = final_number[size_t(root)];
    }
  }
  for (int32_t& n : out.number)
    if (n) {
      n = final_number[size_t(n)];
      ++out.voxels[size_t(n - 1)];
    }
  return out;
}

std::vector<Overlap> overlaps(const Components& a, const Components& b) {
  check(a.number.size() == b.number.size(), "overlaps: components of ", a.number.size(), " and of ", b.number.size(), " voxels");
  std::map<std::pair<int, int>, int64_t> counts;
  for (size_t i = 0; i < a.number.size();) {
    const size_t first = i;
    const int32_t p = a.number[i], q = b.number[i];
    while (i < a.number.size() && a.number[i] == p && b.number[i] == q) ++i;
    if (p && q) counts[{p, q}] += int64_t(i - first);
  }
  std::vector<Overlap> out;
  for (auto& [pair, n] : counts) out.push_back({pair.first, pair.second, n});
  return out;
}

}  // namespace voxgrad
