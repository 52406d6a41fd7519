#include <vector>

#include "core/device/parallel.h"
#include "kernels/roi_align/roi_align_formulas.h"

namespace voxgrad {

void roi_align(Cpu, const RoiAlign& p, const RoiTables& t, View x, View y) {
  const int64_t volume = p.size[0] * p.size[1] * p.size[2] * p.channels, bins = p.bins[0] * p.bins[1] * p.bins[2];
  on_dtype(x.dtype, [&]<class T>() {
    parallel_for(p.rois * bins, 64, [&](int64_t i) {
      const int64_t r = i / bins, b = i % bins;
      const int64_t d = b / (p.bins[1] * p.bins[2]), h = b / p.bins[2] % p.bins[1], w = b % p.bins[2];
      for (int64_t c = 0; c < p.channels; ++c)
        y.as<T>()[i * p.channels + c] = T(roi_bin(p, t.voxel, t.weight, r, d, h, w, c, x.as<T>() + t.image[r] * volume));
    });
  });
}

// Planes along D of an image are shared out; each adds up the boxes in their order.
void roi_align_backward(Cpu, const RoiAlign& p, const RoiTables& t, View gy, View gx) {
  const int64_t plane = p.size[1] * p.size[2] * p.channels;
  on_dtype(gx.dtype, [&]<class T>() {
    using A = accum_t<T>;
    parallel_for(p.n * p.size[0], 1, [&](int64_t i) {
      const int64_t image = i / p.size[0], depth = i % p.size[0];
      std::vector<A> sum(static_cast<size_t>(plane));
      for (int64_t r = 0; r < p.rois; ++r) {
        if (t.image[r] != image) continue;
        for (int64_t d = 0; d < p.bins[0]; ++d) {
          const A wd = roi_weight<A>(p, t.voxel, t.weight, r, 0, d, depth);
          if (wd == A(0)) continue;
          for (int64_t h = 0; h < p.bins[1]; ++h)
            for (int64_t w = 0; w < p.bins[2]; ++w) {
              const T* const g = gy.as<T>() + (((r * p.bins[0] + d) * p.bins[1] + h) * p.bins[2] + w) * p.channels;
              const int64_t at_h = roi_taps(p, r, 1, h), at_w = roi_taps(p, r, 2, w);
              for (int64_t j = at_h; j < at_h + p.taps; ++j)
                for (int64_t k = at_w; k < at_w + p.taps; ++k) {
                  const A weight = wd * A(t.weight[j]) * A(t.weight[k]);
                  A* const to = sum.data() + (t.voxel[j] * p.size[2] + t.voxel[k]) * p.channels;
                  for (int64_t c = 0; c < p.channels; ++c) to[c] += weight * A(g[c]);
                }
            }
        }
      }
      for (int64_t k = 0; k < plane; ++k) gx.as<T>()[i * plane + k] = T(sum[size_t(k)]);
    });
  });
}

}  // namespace voxgrad
