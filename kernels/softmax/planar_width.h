#pragma once
#include <algorithm>
#include <cstdint>

namespace voxgrad {

// Voxels per block of planes: a multiple of 16 such that the planes of a block fit the L1 cache where the channels are few.
inline int64_t planar_width(int64_t channels) { return std::clamp<int64_t>(2048 / channels / 16 * 16, 16, 256); }
// Voxels per task: blocks enough to be worth a thread.
inline int64_t planar_chunk(int64_t channels) {
  return planar_width(channels) * std::max<int64_t>(1, 32768 / (planar_width(channels) * channels));
}

}  // namespace voxgrad
