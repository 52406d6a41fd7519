#include <algorithm>

#include "augment/spatial/window.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// One row of the window out of one row of the volume, whose voxel 0 would be at `from`.
template <class T>
void copy_row(const VoxelWindow& w, const T* from, T* to, int64_t channels, bool edge, T outside) {
  const int64_t size = w.size[2], start = w.start[2], extent = w.extent[2];
  const int64_t begin = std::clamp<int64_t>(-start, 0, extent), end = std::clamp<int64_t>(size - start, begin, extent);
  const bool reversed = w.reversed[2];
  const auto fill_from = [&](int64_t b, int64_t e, int64_t source) {
    for (int64_t i = b; i < e; ++i)
      for (int64_t c = 0; c < channels; ++c)
        to[(reversed ? extent - 1 - i : i) * channels + c] = edge ? from[source * channels + c] : outside;
  };
  fill_from(0, begin, 0);
  fill_from(end, extent, size - 1);
  if (!reversed) {
    std::copy_n(from + (start + begin) * channels, (end - begin) * channels, to + begin * channels);
  } else if (channels == 1) {
    const T* last = from + start + end - 1;
    T* first = to + extent - end;
    for (int64_t i = 0; i < end - begin; ++i) first[i] = last[-i];
  } else {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t c = 0; c < channels; ++c) to[(extent - 1 - i) * channels + c] = from[(start + i) * channels + c];
  }
}

template <class T>
void copy(const VoxelWindow& w, const T* from, T* to, int64_t channels, bool edge, T outside) {
  parallel_for(w.extent[0] * w.extent[1], 64, [&](int64_t row) {
    const int64_t at[2] = {row / w.extent[1], row % w.extent[1]};
    T* out = to + row * w.extent[2] * channels;
    int64_t source[2];
    bool is_outside = false;
    for (int a = 0; a < 2; ++a) {
      source[a] = w.start[a] + (w.reversed[size_t(a)] ? w.extent[a] - 1 - at[a] : at[a]);
      is_outside |= source[a] < 0 || source[a] >= w.size[a];
      source[a] = std::clamp<int64_t>(source[a], 0, w.size[a] - 1);
    }
    if (is_outside && !edge) std::fill_n(out, w.extent[2] * channels, outside);
    else {
      const int64_t held_row = (source[0] - w.begin[0]) * w.held[1] + source[1] - w.begin[1];
      copy_row(w, from + (held_row * w.held[2] - w.begin[2]) * channels, out, channels, edge, outside);
    }
  });
}

}  // namespace

void copy_window(const VoxelWindow& w, const float* from, float* to, int64_t channels, bool edge) {
  copy(w, from, to, channels, edge, 0.f);
}
void copy_window(const VoxelWindow& w, const uint8_t* from, uint8_t* to, uint8_t outside) { copy(w, from, to, 1, false, outside); }

}  // namespace voxgrad
