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

// A class whose voxels are chosen: `wanted` of the `left` ones that have not been seen.
struct Chosen {
  int label;  // -1: all that is annotated
  std::vector<int> values;
  int64_t left = 0, wanted = 0;
  std::vector<int64_t> voxels = {};
};
std::vector<Chosen> groups_of(const ForegroundOptions& o) {
  std::vector<Chosen> out;
  for (int v = 1; v < 256 && o.regions.empty(); ++v)
    if (v != o.ignore_label) out.push_back({.label = v, .values = {v}});
  for (size_t r = 0; r < o.regions.size(); ++r) out.push_back({.label = int(r) + 1, .values = o.regions[r]});
  if (!o.annotated) return out;
  out.push_back({.label = -1, .values = {}});
  for (int v = 0; v < 256; ++v)
    if (v != o.ignore_label) out.back().values.push_back(v);
  return out;
}

Double3 centre_on(int64_t v, Int3 size, Int3 patch) {
  const int64_t at[3] = {v / (int64_t(size.h) * size.w), v / size.w % size.h, v % size.w};
  Double3 centre;
  for (int a = 0; a < 3; ++a) centre[size_t(a)] = double(clamp_start(at[a] - patch[a] / 2, size[a], patch[a])) + (patch[a] - 1) / 2.0;
  return centre;
}

}  // namespace

ForegroundIndex find_foreground(const Tensor& label, Rng rng, const ForegroundOptions& o) {
  check(label && label.shape().rank == 3 && label.dtype() == DType::u8, "find_foreground: a label u8 {D, H, W} is wanted, not ", label);
  check(o.keep >= 1 && o.keep_fraction >= 0 && o.keep_fraction <= 1, "find_foreground: keep ", o.keep, " and keep_fraction ",
        o.keep_fraction, " are not a positive count and a part of 1");
  const auto labels = label.data<uint8_t>();
  int64_t count[4][256] = {}, total[256];
  for (size_t i = 0; i < labels.size(); ++i) ++count[i & 3][labels[i]];
  for (int v = 0; v < 256; ++v) total[v] = count[0][v] + count[1][v] + count[2][v] + count[3][v];
  std::vector<Chosen> groups = groups_of(o);
  ForegroundIndex index{.size = volume_size(label)};
  std::vector<Chosen*> of_value[256];
  for (Chosen& g : groups) {
    for (int v : g.values) g.left += total[v];
    g.wanted = std::max(std::min(o.keep, g.left), int64_t(std::ceil(double(g.left) * o.keep_fraction)));
    g.voxels.reserve(size_t(g.wanted));
    for (int v : g.values) of_value[v].push_back(&g);
  }
  // Selection sampling (Knuth, TAOCP 2, 3.4.2 S): each subset of the wanted size is equally likely.
  for (size_t i = 0; i < labels.size(); ++i)
    for (Chosen* g : of_value[labels[i]]) {
      if (g->wanted == 0) continue;
      if (g->wanted == g->left || rng.uniform() * double(g->left) < double(g->wanted)) g->voxels.push_back(int64_t(i)), --g->wanted;
      --g->left;
    }
  for (Chosen& g : groups) {
    if (g.label < 0) index.annotated = std::move(g.voxels);
    else if (!g.voxels.empty()) index.classes.push_back({g.label, std::move(g.voxels)});
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

Double3 annotated_centre(const ForegroundIndex& index, Int3 patch, Rng rng) {
  check_sizes("annotated_centre", index.size, patch);
  if (index.annotated.empty()) return random_centre(index.size, patch, rng);
  return centre_on(index.annotated[size_t(rng.below(int64_t(index.annotated.size())))], index.size, patch);
}

Double3 foreground_centre(const ForegroundIndex& index, Int3 patch, Rng rng) {
  check_sizes("foreground_centre", index.size, patch);
  if (index.classes.empty()) return annotated_centre(index, patch, rng);
  const auto& voxels = index.classes[size_t(rng.below(int64_t(index.classes.size())))].voxels;
  return centre_on(voxels[size_t(rng.below(int64_t(voxels.size())))], index.size, patch);
}

}  // namespace voxgrad
