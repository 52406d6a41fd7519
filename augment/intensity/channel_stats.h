#pragma once
#include <cmath>
#include <cstdint>

// What transforms of one channel share on the CPU. The bits depend neither on threads nor on timing.
namespace voxgrad {

struct ChannelStats {
  double mean, standard_deviation;  // the latter with n - 1, as torch.std
  float low, high;
};
ChannelStats stats_of(const float* x, int64_t n);

// clamp(scale (x - centre) + shift, low, high).
struct ChannelLine {
  double centre = 0, scale = 1, shift = 0;
  float low = -INFINITY, high = INFINITY;
};
void apply(const ChannelLine&, float* x, int64_t n);

// Voxels of a chunk of such loops.
inline constexpr int64_t kChannelChunk = 1 << 14;

}  // namespace voxgrad
