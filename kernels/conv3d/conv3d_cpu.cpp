#include <vector>

#include "core/parallel.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {
namespace {

// Calls f(output voxel, input voxel, tap) for the taps of output voxel o that fall inside the volume.
template <class F>
void for_taps(const Conv3dProblem& p, int64_t o, F&& f) {
  const int64_t q = o % p.out.w, pp = o / p.out.w % p.out.h, z = o / p.out.w / p.out.h % p.out.d, n = o / p.out.w / p.out.h / p.out.d;
  int64_t tap = 0;
  for (int t = 0; t < p.kernel.d; ++t)
    for (int r = 0; r < p.kernel.h; ++r)
      for (int s = 0; s < p.kernel.w; ++s, ++tap) {
        const int64_t d = z * p.stride.d - p.padding.d + t * p.dilation.d, h = pp * p.stride.h - p.padding.h + r * p.dilation.h,
                      w = q * p.stride.w - p.padding.w + s * p.dilation.w;
        if (d >= 0 && d < p.in.d && h >= 0 && h < p.in.h && w >= 0 && w < p.in.w) f(((n * p.in.d + d) * p.in.h + h) * p.in.w + w, tap);
      }
}

}  // namespace

void conv3d_forward(Cpu, const Conv3dProblem& p, View x, View w, View b, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const int64_t cg = p.c / p.groups, kg = p.k / p.groups;
    parallel_for(p.out_voxels(), 1, [&](int64_t o) {
      std::vector<A> sum(size_t(p.k));
      for (int64_t k = 0; k < p.k; ++k) sum[size_t(k)] = b ? b.as<A>()[k] : A(0);
      for_taps(p, o, [&](int64_t i, int64_t tap) {
        for (int64_t k = 0; k < p.k; ++k)
          for (int64_t c = 0; c < cg; ++c) sum[size_t(k)] += A(x.as<T>()[i * p.c + k / kg * cg + c]) * w.as<A>()[(k * p.taps() + tap) * cg + c];
      });
      for (int64_t k = 0; k < p.k; ++k) y.as<T>()[o * p.k + k] = T(sum[size_t(k)]);
    });
  });
}

void conv3d_input_gradient(Cpu, const Conv3dProblem& p, View gy, View w, View b, View gx) {
  on_dtype(gy.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const int64_t cg = p.c / p.groups, kg = p.k / p.groups;
    std::vector<A> sum(size_t(p.in_voxels() * p.c));
    for (int64_t i = 0; i < int64_t(sum.size()); ++i) sum[size_t(i)] = b ? b.as<A>()[i % p.c] : A(0);
    for (int64_t o = 0; o < p.out_voxels(); ++o)
      for_taps(p, o, [&](int64_t i, int64_t tap) {
        for (int64_t k = 0; k < p.k; ++k)
          for (int64_t c = 0; c < cg; ++c)
            sum[size_t(i * p.c + k / kg * cg + c)] += A(gy.as<T>()[o * p.k + k]) * w.as<A>()[(k * p.taps() + tap) * cg + c];
      });
    for (int64_t i = 0; i < int64_t(sum.size()); ++i) gx.as<T>()[i] = T(sum[size_t(i)]);
  });
}

void conv3d_weight_gradient(Cpu, const Conv3dProblem& p, View x, View gy, View gw) {
  on_dtype(gy.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const int64_t cg = p.c / p.groups, kg = p.k / p.groups;
    for (int64_t i = 0; i < p.weights(); ++i) gw.as<A>()[i] = 0;
    for (int64_t o = 0; o < p.out_voxels(); ++o)
      for_taps(p, o, [&](int64_t i, int64_t tap) {
        for (int64_t k = 0; k < p.k; ++k)
          for (int64_t c = 0; c < cg; ++c)
            gw.as<A>()[(k * p.taps() + tap) * cg + c] += A(gy.as<T>()[o * p.k + k]) * A(x.as<T>()[i * p.c + k / kg * cg + c]);
      });
  });
}

void conv3d_bias_gradient(Cpu, int64_t rows, int64_t channels, View g, View gb) {
  on_dtype(g.dtype, [&]<class T>() {
    using A = accum_t<T>;
    for (int64_t c = 0; c < channels; ++c) {
      A sum = 0;
      for (int64_t r = 0; r < rows; ++r) sum += A(g.as<T>()[r * channels + c]);
      gb.as<A>()[c] = sum;
    }
  });
}

}  // namespace voxgrad
