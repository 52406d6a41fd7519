#include "kernels/max_pool3d/volume_rows.cuh"
#include "kernels/separable/separable_kernels.h"

namespace voxgrad {
namespace {

struct SeparableTaps {
  const int32_t *begin, *index;
  const float* weight;
};

// In the order of the CPU: for each tap of W, the sum over those of D and H first.
template <class T, int kWidth>
__global__ void separable_sum_kernel(VolumeRows rows, SeparableSum p, SeparableTaps d, SeparableTaps h, SeparableTaps w, const T* x, T* y) {
  for_volume(rows, [&](const VolumePlace& o) {
    const int32_t d_begin = d.begin[o.d], d_end = d.begin[o.d + 1], h_begin = h.begin[o.h], h_end = h.begin[o.h + 1];
    const int64_t width = p.in[2] * p.c;
    const T* const sample = x + o.n * p.in[0] * p.in[1] * width + o.pack * kWidth;
    float sum[kWidth] = {};
    for (int32_t k = w.begin[o.w]; k < w.begin[o.w + 1]; ++k) {
      const T* const column = sample + w.index[k] * p.c;
      float part[kWidth] = {};
      for (int32_t i = d_begin; i < d_end; ++i)
        for (int32_t j = h_begin; j < h_end; ++j) {
          const float weight = d.weight[i] * h.weight[j];
          if (weight == 0) continue;
          const auto v = load_pack<kWidth>(column + (d.index[i] * p.in[1] + h.index[j]) * width);
          for (int q = 0; q < kWidth; ++q) part[q] += weight * float(v.v[q]);
        }
      for (int q = 0; q < kWidth; ++q) sum[q] += w.weight[k] * part[q];
    }
    Pack<T, kWidth> out;
    for (int q = 0; q < kWidth; ++q) out.v[q] = T(sum[q]);
    store_pack(y + (o.row * p.out[2] + o.w) * p.c + o.pack * kWidth, out);
  });
}

SeparableTaps taps_of(const AxisTaps& t) { return {t.begin.as<int32_t>(), t.index.as<int32_t>(), t.weight.as<float>()}; }

}  // namespace

void separable_sum(Cuda on, const SeparableSum& p, const AxisTaps (&taps)[3], View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    on_channel_width<T>(p.c, [&](auto width) {
      constexpr int kWidth = width.value;
      const VolumeRows rows = volume_rows(p.n, p.out, p.c / kWidth);
      launch<separable_sum_kernel<T, kWidth>>(on, rows.grid, rows, p, taps_of(taps[0]), taps_of(taps[1]), taps_of(taps[2]), x.as<T>(),
                                              y.as<T>());
    }, x.as<T>(), y.as<T>());
  });
}

}  // namespace voxgrad
