#include "tasks/segmentation/postprocessing/postprocessing.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "tasks/segmentation/metrics/components.h"

namespace voxgrad {
namespace {

// Part of a mask {D, H, W}, and the voxels of it that are meant.
struct Part {
  Int3 begin = {0, 0, 0}, size = {0, 0, 0};
  Tensor chosen;  // u8 {size}, 0 or 1
};

template <class F>
void for_rows(const Part& part, const Tensor& mask, F&& f) {
  for (int64_t d = 0; d < part.size.d; ++d)
    for (int64_t h = 0; h < part.size.h; ++h)
      f(((part.begin.d + d) * mask.dim(1) + part.begin.h + h) * mask.dim(2) + part.begin.w, (d * part.size.h + h) * part.size.w);
}

// The smallest box that holds all voxels with one of the labels; of size 0 where there is none.
Part part_of(const Tensor& mask, const std::vector<int>& labels) {
  std::array<bool, 256> meant = {};
  for (int l : labels) meant[size_t(l)] = true;
  const uint8_t* m = mask.view().as<uint8_t>();
  Int3 low = {int(mask.dim(0)), int(mask.dim(1)), int(mask.dim(2))}, high = {-1, -1, -1};
  int64_t at = 0;
  for (int d = 0; d < mask.dim(0); ++d)
    for (int h = 0; h < mask.dim(1); ++h)
      for (int w = 0; w < mask.dim(2); ++w, ++at) {
        if (!meant[m[at]]) continue;
        const Int3 here = {d, h, w};
        for (int a = 0; a < 3; ++a) {
          low[a] = std::min(low[a], here[a]);
          high[a] = std::max(high[a], here[a]);
        }
      }
  Part out;
  if (high.d < 0) return out;
  out.begin = low;
  out.size = {high.d - low.d + 1, high.h - low.h + 1, high.w - low.w + 1};
  out.chosen = Tensor::empty({out.size.d, out.size.h, out.size.w}, DType::u8);
  uint8_t* to = out.chosen.view().as<uint8_t>();
  for_rows(out, mask, [&](int64_t from, int64_t row) {
    for (int w = 0; w < out.size.w; ++w) to[row + w] = meant[m[from + w]];
  });
  return out;
}

// Components of the labels that are not `kept` become 0.
template <class Kept>
void keep_components(Tensor& mask, const std::vector<int>& labels, Kept&& kept) {
  const Part part = part_of(mask, labels);
  if (!part.chosen) return;
  const Components c = connected_components(part.chosen);
  uint8_t* m = mask.mutable_data<uint8_t>().data();
  for_rows(part, mask, [&](int64_t at, int64_t row) {
    for (int w = 0; w < part.size.w; ++w)
      if (const int32_t n = c.number[size_t(row + w)]; n && !kept(c, n)) m[at + w] = 0;
  });
}

// What an object encloses lies within its box, so what reaches the border of that is outside.
void fill_holes(Tensor& mask, int label) {
  Part part = part_of(mask, {label});
  if (!part.chosen) return;
  for (uint8_t& v : part.chosen.mutable_data<uint8_t>()) v = !v;
  const Components c = connected_components(part.chosen, 6);
  std::vector<bool> outside(size_t(c.count()) + 1, false);
  size_t i = 0;
  for (int d = 0; d < part.size.d; ++d)
    for (int h = 0; h < part.size.h; ++h)
      for (int w = 0; w < part.size.w; ++w, ++i)
        if (d == 0 || h == 0 || w == 0 || d == part.size.d - 1 || h == part.size.h - 1 || w == part.size.w - 1)
          outside[size_t(c.number[i])] = true;
  uint8_t* m = mask.mutable_data<uint8_t>().data();
  for_rows(part, mask, [&](int64_t at, int64_t row) {
    for (int w = 0; w < part.size.w; ++w)
      if (const int32_t n = c.number[size_t(row + w)]; n && !outside[size_t(n)] && m[at + w] == 0) m[at + w] = uint8_t(label);
  });
}

}  // namespace

void apply(const PostprocessingStep& step, Tensor& mask, const Spacing& spacing) {
  check(mask && mask.dtype() == DType::u8 && mask.shape().rank == 3, "postprocessing: a mask u8 {D, H, W} is wanted, not ", mask);
  using Kind = PostprocessingStep::Kind;
  const double voxel = spacing[0] * spacing[1] * spacing[2];
  if (step.kind == Kind::fill_holes) {
    for (int l : step.labels) fill_holes(mask, l);
  } else if (step.kind == Kind::keep_largest) {
    int64_t most = -1;
    keep_components(mask, step.labels, [&](const Components& c, int32_t n) {
      if (most < 0) most = *std::max_element(c.voxels.begin(), c.voxels.end());
      return c.voxels[size_t(n - 1)] == most;
    });
  } else {
    keep_components(mask, step.labels,
                    [&](const Components& c, int32_t n) { return double(c.voxels[size_t(n - 1)]) * voxel >= step.minimum_mm3; });
  }
}

void apply(const Postprocessing& steps, Tensor& mask, const Spacing& spacing) {
  for (const PostprocessingStep& step : steps) apply(step, mask, spacing);
}

}  // namespace voxgrad
