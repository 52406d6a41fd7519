#include <algorithm>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/projection/projection_kernels.h"
#include "kernels/projection/projection_variants.h"

namespace voxgrad {
namespace {

// Elements of one channel, `step` apart.
template <class T>
std::vector<T> channel_of(const T* x, int64_t count, int64_t step) {
  std::vector<T> out(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out[size_t(i)] = x[i * step];
  return out;
}

// One channel of {D, H, W, C}, packed for rays along an axis.
template <class T>
std::vector<T> packed_image(const ProjectionRays<T>& p, int axis, const T* x) {
  std::vector<T> out(size_t(p.extent[axis] * p.plane[axis] + kRayReach), T(0));
  parallel_for(p.extent[axis], std::max<int64_t>(1, (1 << 15) / p.plane[axis]), [&](int64_t j) {
    for (int64_t d = 0; d < p.depth; ++d) {
      T* const to = out.data() + j * p.plane[axis] + (d + p.cone) * p.width[axis] + 1;
      const int64_t h = p.extent[0], w = p.extent[1];
      const T* const from = x + (axis == 0 ? (d * h + j) * w : d * h * w + j) * p.channels;
      const int64_t step = (axis == 0 ? 1 : w) * p.channels;
      for (int64_t i = 0; i < p.extent[1 - axis]; ++i) to[i] = from[i * step];
    }
  });
  return out;
}

// The packed plane j, added to {D, H, W, C}.
template <class T>
void add_plane(const ProjectionRays<T>& p, int axis, int64_t j, const T* plane, T* x) {
  for (int64_t d = 0; d < p.depth; ++d) {
    const T* const from = plane + (d + p.cone) * p.width[axis] + 1;
    const int64_t h = p.extent[0], w = p.extent[1];
    T* const to = x + (axis == 0 ? (d * h + j) * w : d * h * w + j) * p.channels;
    const int64_t step = (axis == 0 ? 1 : w) * p.channels;
    for (int64_t i = 0; i < p.extent[1 - axis]; ++i) to[i * step] += from[i];
  }
}

template <class T>
void project_channel(const ProjectionRays<T>& p, const T* x, T* y) {
  const std::vector<T> rows = packed_image(p, 0, x), columns = packed_image(p, 1, x);
  const T* const packed[2] = {rows.data(), columns.data()};
  const int64_t count = p.rows * p.views * p.columns;
  std::vector<T> own(size_t(p.channels > 1 ? count : 0));
  T* const into = p.channels > 1 ? own.data() : y;
  parallel_ranges(p.views, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> sums(size_t(p.rows * kRayLanes));
    for (int64_t view = begin; view < end; ++view) {
#define X(SET) projection_kernels::SET::project_view(p, packed, view, sums.data(), into)
      VOXGRAD_ON_ISA(X);
#undef X
    }
  });
  for (int64_t i = 0; i < count && p.channels > 1; ++i) y[i * p.channels] = own[size_t(i)];
}

template <class T>
void spread_channel(const ProjectionRays<T>& p, const T* given, T* x) {
  std::vector<T> own;
  if (p.channels > 1) own = channel_of(given, p.rows * p.views * p.columns, p.channels);
  const T* const y = p.channels > 1 ? own.data() : given;
  for (int axis = 0; axis < 2; ++axis)
    parallel_ranges(p.extent[axis], 1, [&](int64_t begin, int64_t end) {
      std::vector<T> plane(size_t(2 * p.plane[axis]));
      for (int64_t j = begin; j < end; ++j) {
        std::fill(plane.begin(), plane.end(), T(0));
#define X(SET) projection_kernels::SET::spread_plane(p, axis, j, y, plane.data())
        VOXGRAD_ON_ISA(X);
#undef X
        for (int64_t i = 0; i < p.plane[axis]; ++i) plane[size_t(i)] += plane[size_t(p.plane[axis] + i)];
        add_plane(p, axis, j, plane.data(), x);
      }
    });
}

template <class T>
void project_all(const ProjectionRays<T>& p, const T* x, T* y) {
  const int64_t image = p.image_count() / p.images, projections = p.projection_count() / p.images;
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t c = 0; c < p.channels; ++c) project_channel(p, x + n * image + c, y + n * projections + c);
}
template <class T>
void spread_all(const ProjectionRays<T>& p, const T* y, T* x) {
  const int64_t image = p.image_count() / p.images, projections = p.projection_count() / p.images;
  std::fill_n(x, p.image_count(), T(0));
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t c = 0; c < p.channels; ++c) spread_channel(p, y + n * projections + c, x + n * image + c);
}

// One channel of {rows, views, columns, C} with borders of zeros: {rows, views, columns + 3}, of cones {rows + 3, ..}.
template <class T>
std::vector<T> packed_projections(const Backprojection& b, const T* y) {
  const int64_t width = b.columns + 3, lines = b.rows * b.views, first = b.cone ? b.views : 0;
  std::vector<T> out(size_t((lines + 3 * first) * width + kRayReach), T(0));
  parallel_for(lines, std::max<int64_t>(1, (1 << 15) / width), [&](int64_t i) {
    for (int64_t k = 0; k < b.columns; ++k) out[size_t((first + i) * width + 1 + k)] = y[(i * b.columns + k) * b.channels];
  });
  return out;
}

template <class T>
void backproject_all(const Backprojection& b, const double* cosines, const T* y, T* x) {
  const int64_t image = b.extent[0] * b.extent[1] * b.extent[2], projections = b.rows * b.views * b.columns;
  for (int64_t k = 0; k < b.images * b.channels; ++k) {
    const int64_t n = k / b.channels, c = k % b.channels;
    const std::vector<T> own = packed_projections(b, y + n * projections * b.channels + c);
    parallel_ranges(b.extent[0] * b.extent[1], 8, [&](int64_t begin, int64_t end) {
      std::vector<T> row(size_t(b.extent[2]));
      for (int64_t i = begin; i < end; ++i) {
#define X(SET) projection_kernels::SET::backproject_row(b, cosines, i / b.extent[1], i % b.extent[1], own.data(), row.data())
        VOXGRAD_ON_ISA(X);
#undef X
        T* const to = x + (n * image + i * b.extent[2]) * b.channels + c;
        for (int64_t w = 0; w < b.extent[2]; ++w) to[w * b.channels] = row[size_t(w)];
      }
    });
  }
}

}  // namespace

void project_rays(Cpu, const ProjectionRays<float>& p, const float* x, float* y) { project_all(p, x, y); }
void project_rays(Cpu, const ProjectionRays<double>& p, const double* x, double* y) { project_all(p, x, y); }
void spread_rays(Cpu, const ProjectionRays<float>& p, const float* y, float* x) { spread_all(p, y, x); }
void spread_rays(Cpu, const ProjectionRays<double>& p, const double* y, double* x) { spread_all(p, y, x); }
void backproject_views(Cpu, const Backprojection& b, const double* cosines, View y, View x) {
  if (y.dtype == DType::f64) backproject_all(b, cosines, y.as<const double>(), x.as<double>());
  else backproject_all(b, cosines, y.as<const float>(), x.as<float>());
}

}  // namespace voxgrad
