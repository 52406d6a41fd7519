#include "augment/intensity/channel_stats.h"

#include <algorithm>
#include <vector>

#include "augment/intensity/intensity_kernels.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad {

const IntensityKernels& intensity_kernels() {
  return VOXGRAD_BY_ISA(voxgrad, kIntensity);
}

ChannelStats stats_of(const float* x, int64_t n) {
  std::vector<ChunkStats> parts(size_t(chunk_count(n, kChannelChunk)));
  const float offset = x[0];
  parallel_chunks(n, kChannelChunk,
                  [&](int64_t c, int64_t b, int64_t e) { parts[size_t(c)] = intensity_kernels().stats(x + b, e - b, offset); });
  double sum = 0, squares = 0;
  ChannelStats s{.low = x[0], .high = x[0]};
  for (const auto& p : parts) {
    sum += p.sum;
    squares += p.sum_of_squares;
    s.low = std::min(s.low, p.low);
    s.high = std::max(s.high, p.high);
  }
  s.mean = double(offset) + sum / double(n);
  s.standard_deviation = n < 2 ? 0 : std::sqrt(std::max(0.0, (squares - sum * sum / double(n)) / double(n - 1)));
  return s;
}

void apply(const ChannelLine& l, float* x, int64_t n) {
  parallel_chunks(n, kChannelChunk, [&](int64_t, int64_t b, int64_t e) {
    intensity_kernels().affine(x + b, e - b, float(l.centre), float(l.scale), float(l.shift), l.low, l.high);
  });
}

}  // namespace voxgrad
