#include "kernels/projection/projection_variants.h"

namespace voxgrad::projection_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {

constexpr int64_t L = kRayLanes;

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// Up to L neighbouring rays of a segment; those beyond `count` repeat the last one.
template <class T>
struct Bundle {
  T a[L], b[L], p[L], q[L];
  int64_t first, count;
};
template <class T>
inline void load(Bundle<T>& c, const ProjectionRays<T>& r, int64_t view, int64_t first, int64_t count) {
  c.first = first;
  c.count = count;
  for (int64_t l = 0; l < L; ++l) {
    const int64_t i = view * r.columns + first + (l < count ? l : count - 1);
    c.a[l] = r.a[i], c.b[l] = r.b[i], c.p[l] = r.p[i], c.q[l] = r.q[i];
  }
}

// Where numbers lie among packed neighbours: the element before and the weight of the one behind.
template <class T>
struct Places {
  int32_t at[L];
  T behind[L];
};
// t[l] in voxels, of an axis of `extent` voxels
template <class T>
inline void find(Places<T>& o, const T* t, int64_t extent) {
  const T top = T(extent + 1);
  for (int64_t l = 0; l < L; ++l) {
    T v = t[l] + 1;
    v = v > 0 ? v : T(0);
    v = v < top ? v : top;
    o.at[l] = int32_t(v);
    o.behind[l] = v - T(o.at[l]);
  }
}
template <class T>
inline void places(Places<T>& o, const Bundle<T>& c, T j, int64_t extent) {
  T t[L];
  for (int64_t l = 0; l < L; ++l) t[l] = c.a[l] + c.b[l] * j;
  find(o, t, extent);
}
// Where the rays of one detector row are along D in plane j.
template <class T>
inline void depths(Places<T>& o, const ProjectionRays<T>& r, const Bundle<T>& c, T j, int64_t row) {
  const T height = (T(row) - r.row_centre) * r.row_step;
  T t[L];
  for (int64_t l = 0; l < L; ++l) t[l] = r.depth_centre + height * (c.p[l] + c.q[l] * j);
  find(o, t, r.depth);
}

// mm between two planes along each ray.
template <class T>
inline void lengths(T* length, const ProjectionRays<T>& r, const Bundle<T>& c, int axis, int64_t row) {
  const T height = r.cone ? (T(row) - r.row_centre) * r.row_step * r.depth_step : T(0);
  for (int64_t l = 0; l < L; ++l) {
    const T across = c.b[l] * r.step[1 - axis], up = height * c.q[l];
    length[l] = root(r.step[axis] * r.step[axis] + across * across + up * up);
  }
}

template <class T>
inline void gather(T* sum, const T* row, const Places<T>& w) {
  for (int64_t l = 0; l < L; ++l) {
    const T before = row[w.at[l]], behind = row[w.at[l] + 1];
    sum[l] += before + w.behind[l] * (behind - before);
  }
}
template <class T>
inline void gather(T* sum, const T* plane, int32_t width, const Places<T>& w, const Places<T>& d) {
  for (int64_t l = 0; l < L; ++l) {
    const int32_t i = d.at[l] * width + w.at[l];
    const T upper = plane[i] + w.behind[l] * (plane[i + 1] - plane[i]);
    const T lower = plane[i + width] + w.behind[l] * (plane[i + width + 1] - plane[i + width]);
    sum[l] += upper + d.behind[l] * (lower - upper);
  }
}

template <class T>
void sum_bundle(const ProjectionRays<T>& r, const Bundle<T>& c, int axis, const T* packed, T* sums) {
  for (int64_t i = 0; i < r.rows * L; ++i) sums[i] = 0;
  Places<T> w, d;
  for (int64_t j = 0; j < r.extent[axis]; ++j) {
    const T* const plane = packed + j * r.plane[axis];
    places(w, c, T(j), r.extent[1 - axis]);
    for (int64_t row = 0; row < r.rows; ++row) {
      if (r.cone) {
        depths(d, r, c, T(j), row);
        gather(sums + row * L, plane, int32_t(r.width[axis]), w, d);
      } else {
        gather(sums + row * L, plane + row * r.width[axis], w);
      }
    }
  }
}

template <class T>
void view_of(const ProjectionRays<T>& r, const T* const packed[2], int64_t view, T* sums, T* y) {
  for (int32_t s = r.firsts[view]; s < r.firsts[view + 1]; ++s) {
    const int32_t* const segment = r.segments + 5 * s;
    const int axis = segment[0];
    for (int64_t k = 0; k < segment[3]; k += L) {
      Bundle<T> c;
      load(c, r, view, segment[2] + k, segment[3] - k < L ? segment[3] - k : L);
      sum_bundle(r, c, axis, packed[axis], sums);
      for (int64_t row = 0; row < r.rows; ++row) {
        T length[L];
        lengths(length, r, c, axis, row);
        T* const to = y + (row * r.views + view) * r.columns + c.first;
        for (int64_t l = 0; l < c.count; ++l) to[l] = length[l] * sums[row * L + l];
      }
    }
  }
}

template <class T>
inline void scatter(T* row, const Places<T>& w, const T* v, int64_t count) {
  for (int64_t l = 0; l < count; ++l) {
    T* const to = row + w.at[l];
    const T behind = w.behind[l] * v[l];
    to[0] += v[l] - behind;
    to[1] += behind;
  }
}

template <class T>
void plane_of(const ProjectionRays<T>& r, int axis, int64_t j, const T* y, T* plane) {
  const int64_t width = r.width[axis];
  for (int64_t s = 0; s < r.segment_count; ++s) {
    const int32_t* const segment = r.segments + 5 * s;
    if (segment[0] != axis) continue;
    for (int64_t k = 0; k < segment[3]; k += L) {
      Bundle<T> c;
      Places<T> w, d;
      load(c, r, segment[1], segment[2] + k, segment[3] - k < L ? segment[3] - k : L);
      places(w, c, T(j), r.extent[1 - axis]);
      for (int64_t row = 0; row < r.rows; ++row) {
        T v[L];
        lengths(v, r, c, axis, row);
        const T* const from = y + (row * r.views + segment[1]) * r.columns + c.first;
        for (int64_t l = 0; l < c.count; ++l) v[l] *= from[l];
        if (!r.cone) {
          scatter(plane + row * width, w, v, c.count);
          continue;
        }
        depths(d, r, c, T(j), row);
        T lower[L];
        for (int64_t l = 0; l < L; ++l) lower[l] = d.behind[l] * v[l], v[l] -= lower[l];
        for (int64_t l = 0; l < c.count; ++l) {
          T* const to = plane + d.at[l] * width + w.at[l];
          const T f = w.behind[l];
          to[0] += (1 - f) * v[l];
          to[1] += f * v[l];
          to[width] += (1 - f) * lower[l];
          to[width + 1] += f * lower[l];
        }
      }
    }
  }
}

// What the detector reads at `column` of a row of `columns`, 0 beyond its ends.
template <class T>
inline void read_columns(T* v, const T* row, const T* column, int64_t columns) {
  const T last = T(columns - 1);
  for (int64_t l = 0; l < L; ++l) {
    const bool inside = column[l] >= 0 && column[l] <= last;
    const T t = inside ? column[l] : T(0);
    const int32_t i = int32_t(t), next = i + 1 < columns ? i + 1 : i;
    const T before = row[i], behind = row[next];
    v[l] = inside ? before + (t - T(i)) * (behind - before) : T(0);
  }
}

template <class T>
void row_of(const Backprojection& b, const double* cosines, int64_t d, int64_t h, const T* y, T* x) {
  const double z = (double(d) - b.centre[0]) * b.voxel[0], up = (double(h) - b.centre[1]) * b.voxel[1];
  for (int64_t view = 0; view < b.views; ++view) {
    const double cosine = cosines[2 * view], sine = cosines[2 * view + 1], left = -b.centre[2] * b.voxel[2];
    const T u0 = T(left * cosine + up * sine), du = T(b.voxel[2] * cosine), s0 = T(up * cosine - left * sine), ds = T(-b.voxel[2] * sine);
    const T away = b.source > 0 ? T(1 / b.source) : T(0), scale = T(b.scale);
    for (int64_t w = 0; w < b.extent[2]; w += L) {
      const int64_t count = b.extent[2] - w < L ? b.extent[2] - w : L;
      T column[L], near[L], v[L];
      for (int64_t l = 0; l < L; ++l) {
        near[l] = 1 / (1 + away * (s0 + ds * T(w + l)));
        column[l] = (u0 + du * T(w + l)) * near[l] * T(b.column_scale) + T(b.column_centre);
      }
      if (!b.cone) {
        read_columns(v, y + (d * b.views + view) * b.columns, column, b.columns);
      } else {
        for (int64_t l = 0; l < count; ++l) {
          const T row = T(z * b.row_scale) * near[l] + T(b.row_centre), at = column[l];
          v[l] = 0;
          if (!(row >= 0 && row <= T(b.rows - 1) && at >= 0 && at <= T(b.columns - 1))) continue;
          const int64_t r = int64_t(row), k = int64_t(at), below = r + 1 < b.rows ? b.views * b.columns : 0, right = k + 1 < b.columns;
          const T* const p = y + (r * b.views + view) * b.columns + k;
          const T f = at - T(k);
          const T upper = p[0] + f * (p[right] - p[0]), lower = p[below] + f * (p[below + right] - p[below]);
          v[l] = upper + (row - T(r)) * (lower - upper);
        }
      }
      for (int64_t l = 0; l < count; ++l) x[w + l] += scale * near[l] * near[l] * v[l];
    }
  }
}

}  // namespace

void project_view(const ProjectionRays<float>& r, const float* const packed[2], int64_t view, float* sums, float* y) {
  view_of(r, packed, view, sums, y);
}
void project_view(const ProjectionRays<double>& r, const double* const packed[2], int64_t view, double* sums, double* y) {
  view_of(r, packed, view, sums, y);
}
void spread_plane(const ProjectionRays<float>& r, int axis, int64_t j, const float* y, float* plane) { plane_of(r, axis, j, y, plane); }
void spread_plane(const ProjectionRays<double>& r, int axis, int64_t j, const double* y, double* plane) { plane_of(r, axis, j, y, plane); }
void backproject_row(const Backprojection& b, const double* cosines, int64_t d, int64_t h, const float* y, float* x) {
  row_of(b, cosines, d, h, y, x);
}
void backproject_row(const Backprojection& b, const double* cosines, int64_t d, int64_t h, const double* y, double* x) {
  row_of(b, cosines, d, h, y, x);
}

}  // namespace voxgrad::projection_kernels::VOXGRAD_ISA_NAMESPACE
