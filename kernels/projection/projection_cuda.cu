#include "core/cuda/launch.h"
#include "kernels/projection/projection_kernels.h"
#include "kernels/pointwise/formulas.h"

namespace voxgrad {
namespace {

// mm between two planes along a ray.
template <class T>
__device__ T ray_length(const ProjectionRays<T>& p, int64_t ray, int axis, int64_t row) {
  const T across = p.b[ray] * p.step[1 - axis];
  const T up = p.cone ? (T(row) - p.row_centre) * p.row_step * p.depth_step * p.q[ray] : T(0);
  return VOXGRAD_MATH sqrt(p.step[axis] * p.step[axis] + across * across + up * up);
}
// Where a ray is along D in plane j.
template <class T>
__device__ T ray_depth(const ProjectionRays<T>& p, int64_t ray, int64_t j, int64_t row) {
  return p.depth_centre + (T(row) - p.row_centre) * p.row_step * (p.p[ray] + p.q[ray] * T(j));
}

// An image of one channel, 0 outside.
template <class T>
struct RayImage {
  const T* x;
  int64_t depth, extent[2], channels;
  __device__ T at(int64_t d, int axis, int64_t j, int64_t m) const {
    if (d < 0 || d >= depth || m < 0 || m >= extent[1 - axis]) return T(0);
    return x[((d * extent[0] + (axis == 0 ? j : m)) * extent[1] + (axis == 0 ? m : j)) * channels];
  }
  __device__ T between(int64_t d, int axis, int64_t j, T m) const {
    const T below = VOXGRAD_MATH floor(m);
    const int64_t i = int64_t(below);
    if (i < -1 || i >= extent[1 - axis]) return T(0);
    const T before = at(d, axis, j, i);
    return before + (m - below) * (at(d, axis, j, i + 1) - before);
  }
};

// A thread per result.
template <class T>
__global__ void projection_rays_kernel(ProjectionRays<T> p, const T* x, T* y) {
  const int64_t image = p.image_count() / p.images;
  for (int64_t i : grid_stride(p.projection_count())) {
    const int64_t c = i % p.channels, ray = i / p.channels % (p.views * p.columns), line = i / p.channels / (p.views * p.columns);
    const int64_t row = line % p.rows, n = line / p.rows;
    const int axis = p.axes[ray];
    const RayImage<T> from{x + n * image + c, p.depth, {p.extent[0], p.extent[1]}, p.channels};
    T sum = 0;
    for (int64_t j = 0; j < p.extent[axis]; ++j) {
      const T m = p.a[ray] + p.b[ray] * T(j);
      if (!p.cone) {
        sum += from.between(row, axis, j, m);
        continue;
      }
      const T depth = ray_depth(p, ray, j, row), above = VOXGRAD_MATH floor(depth);
      if (!(above >= T(-1) && above < T(p.depth))) continue;
      const T upper = from.between(int64_t(above), axis, j, m), lower = from.between(int64_t(above) + 1, axis, j, m);
      sum += upper + (depth - above) * (lower - upper);
    }
    y[i] = ray_length(p, ray, axis, row) * sum;
  }
}

template <class T>
__device__ T hat(T x) {
  const T v = 1 - (x < 0 ? -x : x);
  return v > 0 ? v : T(0);
}

// What voxel (d, m) of plane j gets of the ray, over all detector rows.
template <class T>
__device__ T from_ray(const ProjectionRays<T>& p, int64_t ray, int axis, int64_t j, int64_t d, T weight, const T* y) {
  const int64_t step = p.views * p.columns * p.channels;
  if (!p.cone) return weight * ray_length(p, ray, axis, d) * y[d * step + ray * p.channels];
  const T per_row = p.row_step * (p.p[ray] + p.q[ray] * T(j));  // voxels along D from row to row, > 0
  const T first = p.row_centre + (T(d) - 1 - p.depth_centre) / per_row, last = p.row_centre + (T(d) + 1 - p.depth_centre) / per_row;
  if (!(last >= 0) || !(first <= T(p.rows - 1))) return T(0);
  const int64_t begin = first > 0 ? int64_t(first) : 0, end = last < T(p.rows - 1) ? int64_t(last) + 1 : p.rows - 1;
  T sum = 0;
  for (int64_t row = begin; row <= end; ++row)
    sum += hat(ray_depth(p, ray, j, row) - T(d)) * ray_length(p, ray, axis, row) * y[row * step + ray * p.channels];
  return weight * sum;
}

// A thread per voxel: the rays that pass within a voxel of it are neighbours in each segment, found by bisection.
template <class T>
__global__ void projection_spread_kernel(ProjectionRays<T> p, const T* y, T* x) {
  const int64_t projections = p.projection_count() / p.images;
  for (int64_t i : grid_stride(p.image_count())) {
    const int64_t c = i % p.channels, w = i / p.channels % p.extent[1], h = i / (p.channels * p.extent[1]) % p.extent[0];
    const int64_t d = i / (p.channels * p.extent[1] * p.extent[0]) % p.depth, n = i / (p.image_count() / p.images);
    const T* const from = y + n * projections + c;
    T sum = 0;
    for (int64_t s = 0; s < p.segment_count; ++s) {
      const int32_t* const segment = p.segments + 5 * s;
      const int axis = segment[0];
      const int64_t j = axis == 0 ? h : w, first = int64_t(segment[1]) * p.columns + segment[2];
      const T m = T(axis == 0 ? w : h), sign = T(segment[4]);
      int64_t low = 0, high = segment[3];
      while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (sign * (p.a[first + middle] + p.b[first + middle] * T(j) - m) > T(-1)) high = middle;
        else low = middle + 1;
      }
      for (; low < segment[3]; ++low) {
        const T off = p.a[first + low] + p.b[first + low] * T(j) - m;
        if (sign * off >= T(1)) break;
        sum += from_ray(p, first + low, axis, j, d, hat(off), from);
      }
    }
    x[i] = sum;
  }
}

// A detector of one channel, 0 beyond its ends.
template <class T>
struct Detector {
  const Backprojection& b;
  const T* y;
  int64_t view;
  __device__ T at(int64_t row, int64_t column) const {
    if (row < 0 || row >= b.rows || column < 0 || column >= b.columns) return T(0);
    return y[((row * b.views + view) * b.columns + column) * b.channels];
  }
  __device__ T between(T row, T column) const {
    const T above = VOXGRAD_MATH floor(row), before = VOXGRAD_MATH floor(column);
    if (!(above >= T(-1) && above <= T(b.rows) && before >= T(-1) && before <= T(b.columns))) return T(0);
    const int64_t r = int64_t(above), k = int64_t(before);
    const T f = column - before, upper = at(r, k) + f * (at(r, k + 1) - at(r, k)),
            lower = at(r + 1, k) + f * (at(r + 1, k + 1) - at(r + 1, k));
    return upper + (row - above) * (lower - upper);
  }
};

template <class T>
__global__ void projection_views_kernel(Backprojection b, const double* cosines, const T* y, T* x) {
  const int64_t image = b.extent[0] * b.extent[1] * b.extent[2] * b.channels, projections = b.rows * b.views * b.columns * b.channels;
  for (int64_t i : grid_stride(b.images * image)) {
    const int64_t c = i % b.channels, w = i / b.channels % b.extent[2], h = i / (b.channels * b.extent[2]) % b.extent[1];
    const int64_t d = i / (b.channels * b.extent[2] * b.extent[1]) % b.extent[0];
    const T* const from = y + i / image * projections + c;
    const double z = (double(d) - b.centre[0]) * b.voxel[0], up = (double(h) - b.centre[1]) * b.voxel[1];
    const double left = -b.centre[2] * b.voxel[2];
    T sum = 0;
    for (int64_t view = 0; view < b.views; ++view) {
      const double cosine = cosines[2 * view], sine = cosines[2 * view + 1];
      const T u = T(left * cosine + up * sine) + T(b.voxel[2] * cosine) * T(w);
      const T s = T(up * cosine - left * sine) + T(-b.voxel[2] * sine) * T(w);
      const T near = 1 / (1 + (b.source > 0 ? T(1 / b.source) : T(0)) * s);
      const T row = b.cone ? T(z * b.row_scale) * near + T(b.row_centre) : T(d);
      sum += near * near * Detector<T>{b, from, view}.between(row, u * near * T(b.column_scale) + T(b.column_centre));
    }
    x[i] = T(b.scale) * sum;
  }
}

template <class T>
void project_on(Cuda on, const ProjectionRays<T>& p, const T* x, T* y) {
  launch<projection_rays_kernel<T>>(on, grid_over(p.projection_count(), 128), p, x, y);
}
template <class T>
void spread_on(Cuda on, const ProjectionRays<T>& p, const T* y, T* x) {
  launch<projection_spread_kernel<T>>(on, grid_over(p.image_count(), 128), p, y, x);
}

}  // namespace

void project_rays(Cuda on, const ProjectionRays<float>& p, const float* x, float* y) { project_on(on, p, x, y); }
void project_rays(Cuda on, const ProjectionRays<double>& p, const double* x, double* y) { project_on(on, p, x, y); }
void spread_rays(Cuda on, const ProjectionRays<float>& p, const float* y, float* x) { spread_on(on, p, y, x); }
void spread_rays(Cuda on, const ProjectionRays<double>& p, const double* y, double* x) { spread_on(on, p, y, x); }
void backproject_views(Cuda on, const Backprojection& b, const double* cosines, View y, View x) {
  const auto run = [&]<class T>(const T* from, T* to) {
    launch<projection_views_kernel<T>>(on, grid_over(b.images * b.extent[0] * b.extent[1] * b.extent[2] * b.channels, 128), b, cosines,
                                        from, to);
  };
  y.dtype == DType::f64 ? run(y.as<const double>(), x.as<double>()) : run(y.as<const float>(), x.as<float>());
}

}  // namespace voxgrad
