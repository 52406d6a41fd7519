#include "core/cuda/launch.h"
#include "kernels/roi_align/roi_align_formulas.h"

namespace voxgrad {
namespace {

template <class T>
__global__ void roi_align_bins_kernel(RoiAlign p, const int64_t* image, const int64_t* voxel, const double* weight, const T* x, T* y) {
  const int64_t bins = p.bins[0] * p.bins[1] * p.bins[2], volume = p.size[0] * p.size[1] * p.size[2] * p.channels;
  for (int64_t i : grid_stride(p.rois * bins * p.channels)) {
    const int64_t c = i % p.channels, b = i / p.channels % bins, r = i / p.channels / bins;
    const int64_t d = b / (p.bins[1] * p.bins[2]), h = b / p.bins[2] % p.bins[1], w = b % p.bins[2];
    y[i] = T(roi_bin(p, voxel, weight, r, d, h, w, c, x + image[r] * volume));
  }
}

// A thread adds up all that one element of x has to do with.
template <class T>
__global__ void roi_align_gradient_kernel(RoiAlign p, const int64_t* image, const int64_t* voxel, const double* weight, const T* gy,
                                          T* gx) {
  const int64_t voxels = p.size[0] * p.size[1] * p.size[2];
  for (int64_t i : grid_stride(p.n * voxels * p.channels)) {
    const int64_t c = i % p.channels, v = i / p.channels % voxels, n = i / p.channels / voxels;
    const int64_t at[3] = {v / (p.size[1] * p.size[2]), v / p.size[2] % p.size[1], v % p.size[2]};
    float sum = 0;
    for (int64_t r = 0; r < p.rois; ++r) {
      if (image[r] != n) continue;
      for (int64_t d = 0; d < p.bins[0]; ++d) {
        const float wd = roi_weight<float>(p, voxel, weight, r, 0, d, at[0]);
        if (wd == 0.f) continue;
        for (int64_t h = 0; h < p.bins[1]; ++h) {
          const float wh = roi_weight<float>(p, voxel, weight, r, 1, h, at[1]);
          if (wh == 0.f) continue;
          for (int64_t w = 0; w < p.bins[2]; ++w) {
            const float ww = roi_weight<float>(p, voxel, weight, r, 2, w, at[2]);
            if (ww != 0.f) sum += wd * wh * ww * float(gy[(((r * p.bins[0] + d) * p.bins[1] + h) * p.bins[2] + w) * p.channels + c]);
          }
        }
      }
    }
    gx[i] = T(sum);
  }
}

// f(image, voxel, weight) with the tables on the device.
template <class F>
void with_tables(Cuda on, const RoiAlign& p, const RoiTables& t, F&& f) {
  const int64_t taps = p.rois * (p.bins[0] + p.bins[1] + p.bins[2]) * p.taps;
  if (taps == 0) return f(nullptr, nullptr, nullptr);
  const Scratch image(on, t.image, p.rois * int64_t(sizeof(int64_t))), voxel(on, t.voxel, taps * int64_t(sizeof(int64_t)));
  const Scratch weight(on, t.weight, taps * int64_t(sizeof(double)));
  f(image.as<int64_t>(), voxel.as<int64_t>(), weight.as<double>());
}

}  // namespace

void roi_align(Cuda on, const RoiAlign& p, const RoiTables& t, View x, View y) {
  with_tables(on, p, t, [&](const int64_t* image, const int64_t* voxel, const double* weight) {
    on_dtype(x.dtype, [&]<class T>() {
      launch<roi_align_bins_kernel<T>>(on, grid_over(p.rois * p.bins[0] * p.bins[1] * p.bins[2] * p.channels), p, image, voxel, weight,
                                       static_cast<const T*>(x.as<T>()), y.as<T>());
    });
  });
}

void roi_align_backward(Cuda on, const RoiAlign& p, const RoiTables& t, View gy, View gx) {
  with_tables(on, p, t, [&](const int64_t* image, const int64_t* voxel, const double* weight) {
    on_dtype(gx.dtype, [&]<class T>() {
      launch<roi_align_gradient_kernel<T>>(on, grid_over(p.n * p.size[0] * p.size[1] * p.size[2] * p.channels), p, image, voxel, weight,
                                           static_cast<const T*>(gy.as<T>()), gx.as<T>());
    });
  });
}

}  // namespace voxgrad
