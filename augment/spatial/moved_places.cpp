#include "augment/spatial/moved_places.h"

#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"

namespace voxgrad {

Matrix3 product(const Matrix3& x, const Matrix3& y) {
  Matrix3 out;
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b) out[a][b] = x[a][0] * y[0][b] + x[a][1] * y[1][b] + x[a][2] * y[2][b];
  return out;
}
Double3 product(const Matrix3& m, const Double3& v) {
  Double3 out;
  for (size_t a = 0; a < 3; ++a) out[a] = m[a][0] * v[0] + m[a][1] * v[1] + m[a][2] * v[2];
  return out;
}

Matrix3 inverse(const Matrix3& m) {
  const auto cofactor = [&](size_t a, size_t b) {
    const size_t a1 = (a + 1) % 3, a2 = (a + 2) % 3, b1 = (b + 1) % 3, b2 = (b + 2) % 3;
    return m[a1][b1] * m[a2][b2] - m[a1][b2] * m[a2][b1];
  };
  const double determinant = m[0][0] * cofactor(0, 0) + m[0][1] * cofactor(0, 1) + m[0][2] * cofactor(0, 2);
  check(std::isfinite(1 / determinant), "inverse: the matrix has the determinant ", determinant);
  Matrix3 out;
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b) out[a][b] = cofactor(b, a) / determinant;
  return out;
}

PatchMap patch_map(const char* who, const PatchGeometry& g) {
  PatchMap map;
  Matrix3 matrix;
  for (size_t a = 0; a < 3; ++a) {
    map.origin[a] = g.whole ? std::round(g.problem.origin[a]) : g.problem.origin[a];
    for (size_t b = 0; b < 3; ++b) matrix[a][b] = g.problem.step[b][a];
  }
  try {
    map.inverse = inverse(matrix);
  } catch (const Error& e) { fail(who, ": the pose cannot be undone: ", e.what()); }
  return map;
}

namespace {

Double3 place_of(const PatchMap& map, double d, double h, double w) {
  return product(map.inverse, Double3{d - map.origin[0], h - map.origin[1], w - map.origin[2]});
}

Tensor moved_points(const Tensor& points, const PatchMap& map) {
  const Tensor out = points.clone();
  const int64_t columns = points.dim(1);
  float* x = out.view().as<float>();
  for (int64_t p = 0; p < points.dim(0); ++p, x += columns) {
    const Double3 to = place_of(map, x[0], x[1], x[2]);
    for (size_t a = 0; a < 3; ++a) x[a] = float(to[a]);
  }
  return out;
}

// The hull of the moved box, clipped to the patch; whether there is anything left.
bool move_box(const PatchMap& map, Int3 patch, const float* from, float* to) {
  Double3 low = {INFINITY, INFINITY, INFINITY}, high = {-INFINITY, -INFINITY, -INFINITY};
  for (int corner = 0; corner < 8; ++corner) {
    const Double3 at = place_of(map, from[corner & 4 ? 3 : 0], from[corner & 2 ? 4 : 1], from[corner & 1 ? 5 : 2]);
    for (size_t a = 0; a < 3; ++a) {
      low[a] = std::min(low[a], at[a]);
      high[a] = std::max(high[a], at[a]);
    }
  }
  for (int a = 0; a < 3; ++a) {
    const double begin = std::max(low[size_t(a)], -0.5), end = std::min(high[size_t(a)], patch[a] - 0.5);
    if (!(begin < end)) return false;
    to[a] = float(begin);
    to[3 + a] = float(end);
  }
  return true;
}

Tensor moved_boxes(const Tensor& boxes, const PatchMap& map, Int3 patch) {
  const int64_t columns = boxes.dim(1);
  const Tensor all = boxes.clone();
  const float* from = boxes.view().as<float>();
  float* to = all.view().as<float>();
  int64_t left = 0;
  for (int64_t b = 0; b < boxes.dim(0); ++b, from += columns) {
    if (!move_box(map, patch, from, to + left * columns)) continue;
    std::copy(from + 6, from + columns, to + left * columns + 6);
    ++left;
  }
  return all.rows(0, left);
}

}  // namespace

Tensor moved(const Field& f, const PatchMap& map, Int3 patch) {
  if (f.kind == DataKind::points) return moved_points(f.data, map);
  if (f.kind == DataKind::boxes) return moved_boxes(f.data, map, patch);
  return f.data;
}

void turn_vectors(const Tensor& vectors, const PatchMap& map) {
  float m[3][3];
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b) m[a][b] = float(map.inverse[a][b]);
  float* const all = vectors.view().as<float>();
  parallel_for(vectors.count() / 3, 1 << 14, [&](int64_t i) {
    float* const x = all + 3 * i;
    const float d = x[0], h = x[1], w = x[2];
    for (int a = 0; a < 3; ++a) x[a] = m[a][0] * d + m[a][1] * h + m[a][2] * w;
  });
}

}  // namespace voxgrad
