#include "kernels/projection/projection_variants.h"

namespace voxgrad::projection_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {

constexpr int L = int(kRayLanes);
#define VOXGRAD_LANES inline __attribute__((always_inline))

// A number of each lane. Where registers are narrower than L numbers the compiler takes several.
template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float type __attribute__((vector_size(L * 4)));
};
template <>
struct LanesOf<double> {
  typedef double type __attribute__((vector_size(L * 8)));
};
template <class T>
using V = typename LanesOf<T>::type;
typedef int32_t I __attribute__((vector_size(L * 4)));

template <class T>
VOXGRAD_LANES V<T> splat(T v) {
  return v - V<T>{};
}
template <class T>
VOXGRAD_LANES void load(V<T>& v, const T* p) {
  __builtin_memcpy(&v, p, sizeof v);
}
template <class T>
VOXGRAD_LANES void store(T* p, const V<T>& v) {
  __builtin_memcpy(p, &v, sizeof v);
}
// 0, 1, .. L - 1
template <class T>
VOXGRAD_LANES V<T> counted() {
  V<T> v;
  for (int l = 0; l < L; ++l) v[l] = T(l);
  return v;
}

// Up to L neighbouring rays of a segment; those beyond `count` repeat the last one.
template <class T>
struct Bundle {
  V<T> a, b, p, q;
  int64_t first, count;
};
template <class T>
VOXGRAD_LANES void load(Bundle<T>& c, const ProjectionRays<T>& r, int64_t view, int64_t first, int64_t count) {
  c.first = first;
  c.count = count;
  for (int l = 0; l < L; ++l) {
    const int64_t i = view * r.columns + first + (l < count ? l : count - 1);
    c.a[l] = r.a[i], c.b[l] = r.b[i], c.p[l] = r.p[i], c.q[l] = r.q[i];
  }
}

// Where numbers lie among packed neighbours: the element before and the weight of the one behind.
template <class T>
struct Places {
  I at;
  V<T> behind;
};
// t in voxels, of an axis of `extent` voxels
template <class T>
VOXGRAD_LANES void find(Places<T>& o, V<T> t, int64_t extent) {
  const V<T> top = splat(T(extent + 1)), zero = {};
  t += 1;
  t = t > zero ? t : zero;
  t = t < top ? t : top;
  o.at = __builtin_convertvector(t, I);
  o.behind = t - __builtin_convertvector(o.at, V<T>);
}
// Where the rays of one detector row are along D in plane j.
template <class T>
VOXGRAD_LANES void depths(Places<T>& o, const ProjectionRays<T>& r, const Bundle<T>& c, T j, int64_t row) {
  const T height = (T(row) - r.row_centre) * r.row_step;
  find<T>(o, r.depth_centre + height * (c.p + c.q * j), r.depth);
}

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }
// mm between two planes along each ray.
template <class T>
VOXGRAD_LANES V<T> lengths(const ProjectionRays<T>& r, const Bundle<T>& c, int axis, int64_t row) {
  const T height = r.cone ? (T(row) - r.row_centre) * r.row_step * r.depth_step : T(0);
  const V<T> across = c.b * r.step[1 - axis], up = height * c.q;
  V<T> length = r.step[axis] * r.step[axis] + across * across + up * up;
  for (int l = 0; l < L; ++l) length[l] = root(length[l]);
  return length;
}

// What lies between row[at] and row[at + 1].
template <class T>
VOXGRAD_LANES V<T> between(const T* row, const Places<T>& p) {
  V<T> before, behind;
#if defined(__AVX512F__)
  // Neighbouring rays mostly read from 32 neighbouring numbers, which are two registers: lanes choose from these in place of memory. Places
  // grow or shrink with the lane; kRayReach numbers behind the row may be read.
  if constexpr (sizeof(T) == 4) {
    const int32_t first = p.at[0], last = p.at[L - 1], low = first < last ? first : last;
    if ((first < last ? last : first) - low <= 30) {
      V<T> near, far;
      load<T>(near, row + low);
      load<T>(far, row + low + L);
      const I at = p.at - low;
      before = __builtin_shuffle(near, far, at);
      behind = __builtin_shuffle(near, far, at + 1);
      return before + p.behind * (behind - before);
    }
  }
#endif
  for (int l = 0; l < L; ++l) before[l] = row[p.at[l]], behind[l] = row[p.at[l] + 1];
  return before + p.behind * (behind - before);
}
// The same between four neighbours of a plane.
template <class T>
VOXGRAD_LANES V<T> between(const T* plane, int32_t width, const Places<T>& w, const Places<T>& d) {
  const I other = d.at - d.at[0];
  int32_t differs = 0;
  for (int l = 0; l < L; ++l) differs |= other[l];
  if (differs == 0) {  // the rays are between the same two slices, as most neighbours are
    const V<T> upper = between(plane + d.at[0] * width, w), lower = between(plane + (d.at[0] + 1) * width, w);
    return upper + d.behind * (lower - upper);
  }
  V<T> v;
  for (int l = 0; l < L; ++l) {
    const T* const p = plane + d.at[l] * width + w.at[l];
    const T f = w.behind[l];
    const T upper = p[0] + f * (p[1] - p[0]), lower = p[width] + f * (p[width + 1] - p[width]);
    v[l] = upper + d.behind[l] * (lower - upper);
  }
  return v;
}

// sums: V of each row of a cone's detector, or of each slice
template <class T>
void sum_bundle(const ProjectionRays<T>& r, const Bundle<T>& c, int axis, const T* packed, T* sums) {
  Places<T> w, d;
  const int64_t planes = r.extent[axis], width = r.width[axis];
  if (!r.cone) {
    for (int64_t row = 0; row < r.rows; ++row) {
      V<T> sum = {};
      for (int64_t j = 0; j < planes; ++j) {
        find<T>(w, c.a + c.b * T(j), r.extent[1 - axis]);
        sum += between(packed + j * r.plane[axis] + row * width, w);
      }
      store<T>(sums + row * L, sum);
    }
    return;
  }
  for (int64_t i = 0; i < r.rows * L; ++i) sums[i] = 0;
  for (int64_t j = 0; j < planes; ++j) {
    find<T>(w, c.a + c.b * T(j), r.extent[1 - axis]);
    for (int64_t row = 0; row < r.rows; ++row) {
      V<T> sum;
      load<T>(sum, sums + row * L);
      depths(d, r, c, T(j), row);
      store<T>(sums + row * L, sum + between(packed + j * r.plane[axis], int32_t(width), w, d));
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
        const V<T> length = lengths(r, c, axis, row);
        T* const to = y + (row * r.views + view) * r.columns + c.first;
        for (int l = 0; l < c.count; ++l) to[l] = length[l] * sums[row * L + l];
      }
    }
  }
}

// To row[at] and row[at + 1] the shares of v. Neighbouring rays in turn go to two copies of the row, `apart` from each other: none waits
// for what the one before has written.
template <class T>
VOXGRAD_LANES void scatter(T* row, int64_t apart, const Places<T>& w, const I& rows, const V<T>& v, int64_t count) {
  T first[L], second[L];
  int32_t at[L];
  const V<T> behind = w.behind * v;
  const I places = w.at + rows;
  store<T>(second, behind);
  store<T>(first, v - behind);
  __builtin_memcpy(at, &places, sizeof at);
  for (int l = 0; l < count; ++l) {
    T* const to = row + (l % 2) * apart + at[l];
    to[0] += first[l];
    to[1] += second[l];
  }
}

template <class T>
void plane_of(const ProjectionRays<T>& r, int axis, int64_t j, const T* y, T* plane) {
  const int64_t width = r.width[axis], apart = r.plane[axis];
  for (int64_t s = 0; s < r.segment_count; ++s) {
    const int32_t* const segment = r.segments + 5 * s;
    if (segment[0] != axis) continue;
    for (int64_t k = 0; k < segment[3]; k += L) {
      Bundle<T> c;
      Places<T> w, d;
      load(c, r, segment[1], segment[2] + k, segment[3] - k < L ? segment[3] - k : L);
      find<T>(w, c.a + c.b * T(j), r.extent[1 - axis]);
      for (int64_t row = 0; row < r.rows; ++row) {
        V<T> v = lengths(r, c, axis, row);
        const T* const from = y + (row * r.views + segment[1]) * r.columns + c.first;
        for (int l = 0; l < c.count; ++l) v[l] *= from[l];
        if (!r.cone) {
          scatter(plane + row * width, apart, w, I{}, v, c.count);
          continue;
        }
        depths(d, r, c, T(j), row);
        const V<T> below = d.behind * v;
        const I rows = d.at * int32_t(width);
        scatter<T>(plane, apart, w, rows, v - below, c.count);
        scatter<T>(plane + width, apart, w, rows, below, c.count);
      }
    }
  }
}

// Sums over all views for L neighbours along W from w on. y {rows, views, columns + 3}, packed as images are.
template <bool kDivergent, class T>
VOXGRAD_LANES V<T> backproject_lanes(const Backprojection& b, const double* cosines, int64_t d, int64_t h, int64_t w, const T* y) {
  const double z = (double(d) - b.centre[0]) * b.voxel[0], up = (double(h) - b.centre[1]) * b.voxel[1];
  const double left = (double(w) - b.centre[2]) * b.voxel[2], away = kDivergent ? 1 / b.source : 0;
  const int64_t width = b.columns + 3;
  const V<T> lane = counted<T>(), one = splat(T(1));
  V<T> sum = {};
  Places<T> across, along;
  for (int64_t view = 0; view < b.views; ++view) {
    const double cosine = cosines[2 * view], sine = cosines[2 * view + 1];
    const T u = T((left * cosine + up * sine) * b.column_scale), du = T(b.voxel[2] * cosine * b.column_scale), centre = T(b.column_centre);
    const T s = T(1 + (up * cosine - left * sine) * away), ds = T(-b.voxel[2] * sine * away);
    const V<T> near = kDivergent ? one / (s + ds * lane) : one;
    find<T>(across, kDivergent ? (u + du * lane) * near + centre : (u + centre) + du * lane, b.columns);
    V<T> v;
    if (!b.cone) {
      v = between(y + (d * b.views + view) * width, across);
    } else {
      find<T>(along, T(z * b.row_scale) * near + T(b.row_centre), b.rows);
      v = between(y + view * width, int32_t(b.views * width), across, along);
    }
    sum += kDivergent ? near * near * v : v;
  }
  return sum;
}

template <class T>
void row_of(const Backprojection& b, const double* cosines, int64_t d, int64_t h, const T* y, T* x) {
  for (int64_t w = 0; w < b.extent[2]; w += L) {
    const V<T> sum = b.source > 0 ? backproject_lanes<true>(b, cosines, d, h, w, y) : backproject_lanes<false>(b, cosines, d, h, w, y);
    for (int l = 0; l < L && w + l < b.extent[2]; ++l) x[w + l] = T(b.scale) * sum[l];
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
