#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// The windows of a pooling along one axis. A tap is a position in the window; taps that fall into the padding are never visited.
struct PoolAxis {
  int in = 1, out = 1, kernel = 1, stride = 1, padding = 0, dilation = 1;
  bool adaptive = false;

  struct Range {
    int begin, end;
  };
  // The input that tap 0 of output o stands on; negative in the padding.
  VOXGRAD_HD int origin(int o) const { return adaptive ? int(int64_t(o) * in / out) : o * stride - padding; }
  // The taps of output o that are inside of the input.
  VOXGRAD_HD Range taps(int o) const {
    const int first = origin(o);
    if (adaptive) return {0, int((int64_t(o + 1) * in + out - 1) / out) - first};
    const int begin = first >= 0 ? 0 : (-first + dilation - 1) / dilation, reach = (in - first + dilation - 1) / dilation;
    return {begin, reach < kernel ? reach : kernel};
  }
  // The outputs whose window may hold input i; tap_of tells.
  VOXGRAD_HD Range outputs(int i) const {
    if (adaptive) return {int(int64_t(i) * out / in), int((int64_t(i + 1) * out + in - 1) / in)};
    const int last = (i + padding) / stride + 1, reach = i + padding - (kernel - 1) * dilation;
    return {reach > 0 ? (reach + stride - 1) / stride : 0, last < out ? last : out};
  }
  // The tap of output o that input i is, or -1.
  VOXGRAD_HD int tap_of(int i, int o) const {
    const int distance = i - origin(o);
    if (adaptive) return distance >= 0 && distance < taps(o).end ? distance : -1;
    return distance >= 0 && distance % dilation == 0 && distance / dilation < kernel ? distance / dilation : -1;
  }
  // Taps of the largest window.
  VOXGRAD_HD int window() const { return adaptive ? (in + out - 1) / out + (in % out != 0) : kernel; }
};

}  // namespace voxgrad
