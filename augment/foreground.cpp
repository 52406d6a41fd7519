#include "augment/foreground.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

// First voxel of the patch on one axis: as near to `wanted` as it can be with the patch inside, or the volume in the patch's middle.
int64_t clamp_start(int64_t wanted, int64_t size, int64_t patch) {
  return patch >= size ? -((patch - size) / 2) : std::clamp<int64_t>(wanted, 0, size - patch);
}
void check_sizes(const char* who, Int3 volume, Int3 patch) {
  for (int a = 0; a < 3; ++a) check(volume[a] >= 1 && patch[a] >= 1, who, ": a patch of ", patch, " voxels from a volume of ", volume);
}

}  // namespace

ForegroundIndex find_foreground(const Tensor& label, Rng rng, const ForegroundOptions& o) {
  check(label && label.shape().rank == 3 && label.dtype() == DType::u8, "find_foreground: a label u8 {D, H, W} is wanted, not ", label);
  check(o.keep >= 1 && o.keep_fraction >= 0 && o.keep_fraction <= 1, "find_foreground: keep ", o.keep, " and keep_fraction ",
        o.keep_fraction, " are not a positive count and a part of 1");
  const auto labels = label.data<uint8_t>();
  int64_t count[4][256] = {}, total[256];
  for (size_t i = 0; i < labels.size(); ++i) ++count[i & 3][labels[i]];
  int64_t wanted[256] = {};
  std::vector<int64_t>* voxels[256] = {};
  ForegroundIndex index{.size = volume_size(label)};
  for (int c = 0; c < 256; ++c) {
    total[c] = count[0][c] + count[1][c] + count[2][c] + count[3][c];
    if (c == 0 || c == o.ignore_label || total[c] == 0) continue;
    wanted[c] = std::max(std::min(o.keep, total[c]), int64_t(std::ceil(double(total[c]) * o.keep_fraction)));
    index.classes.push_back({c, {}});
    index.classes.back().voxels.reserve(size_t(wanted[c]));
  }
  for (auto& c : index.classes) voxels[c.label] = &c.voxels;
  // Selection sampling (Knuth, TAOCP 2, 3.4.2 S): each subset of the wanted size is equally likely.
  for (size_t i = 0; i < labels.size(); ++i) {
    const uint8_t c = labels[i];
    if (wanted[c] == 0) continue;
    if (wanted[c] == total[c] || rng.uniform() * double(total[c]) < double(wanted[c])) voxels[c]->push_back(int64_t(i)), --wanted[c];
    --total[c];
  }
  return index;
}

Double3 random_centre(Int3 volume, Int3 patch, Rng rng) {
  check_sizes("random_centre", volume, patch);
  Double3 centre;
  for (int a = 0; a < 3; ++a) {
    const int64_t wanted = patch[a] < volume[a] ? rng.below(volume[a] - patch[a] + 1) : 0;
    centre[size_t(a)] = double(clamp_start(wanted, volume[a], patch[a])) + (patch[a] - 1) / 2.0;
  }
  return centre;
}

Double3 foreground_centre(const ForegroundIndex& index, Int3 patch, Rng rng) {
  check_sizes("foreground_centre", index.size, patch);
  if (index.classes.empty()) return random_centre(index.size, patch, rng);
  const auto& voxels = index.classes[size_t(rng.below(int64_t(index.classes.size())))].voxels;
  const int64_t v = voxels[size_t(rng.below(int64_t(voxels.size())))];
  const int64_t at[3] = {v / (int64_t(index.size.h) * index.size.w), v / index.size.w % index.size.h, v % index.size.w};
  Double3 centre;
  for (int a = 0; a < 3; ++a) centre[size_t(a)] = double(clamp_start(at[a] - patch[a] / 2, index.size[a], patch[a])) + (patch[a] - 1) / 2.0;
  return centre;
}

}  // namespace voxgrad
