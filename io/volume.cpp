#include "io/volume.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {

Affine Affine::scaling(const Vec3& spacing, const Vec3& origin) {
  Affine a;
  for (int axis = 0; axis < 3; ++axis) a.m[2 - axis][axis] = spacing[axis], a.m[axis][3] = origin[axis];
  return a;
}

Vec3 Affine::spacing() const {
  Vec3 out;
  for (int axis = 0; axis < 3; ++axis) out[axis] = std::sqrt(m[0][axis] * m[0][axis] + m[1][axis] * m[1][axis] + m[2][axis] * m[2][axis]);
  return out;
}

Vec3 Affine::apply(const Vec3& p) const {
  Vec3 out;
  for (int row = 0; row < 3; ++row) out[row] = m[row][0] * p[0] + m[row][1] * p[1] + m[row][2] * p[2] + m[row][3];
  return out;
}

double Affine::determinant() const {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

bool Affine::is_valid() const {
  for (auto& row : m)
    for (double v : row)
      if (!std::isfinite(v)) return false;
  const Vec3 s = spacing();
  return std::abs(determinant()) > 1e-9 * s[0] * s[1] * s[2];
}

Affine Affine::inverse() const {
  const double det = determinant();
  check(is_valid(), "affine: its matrix of determinant ", det, " has no inverse");
  Affine out;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) {
      const int r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
      out.m[c][r] = (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) / det;
    }
  for (int r = 0; r < 3; ++r) out.m[r][3] = -(out.m[r][0] * m[0][3] + out.m[r][1] * m[1][3] + out.m[r][2] * m[2][3]);
  return out;
}

double millimetres(LengthUnit unit) { return unit == LengthUnit::metre ? 1000 : unit == LengthUnit::micrometre ? 0.001 : 1; }
const char* name_of(LengthUnit unit) { return unit == LengthUnit::metre ? "m" : unit == LengthUnit::micrometre ? "um" : "mm"; }

// New index n lies at the old index (n + 1/2) factor - 1/2.
Affine Affine::resampled(const Vec3& factor) const {
  Affine out = *this;
  for (int row = 0; row < 3; ++row)
    for (int axis = 0; axis < 3; ++axis) {
      out.m[row][axis] = m[row][axis] * factor[axis];
      out.m[row][3] += m[row][axis] * (factor[axis] - 1) / 2;
    }
  return out;
}

Affine operator*(const Affine& a, const Affine& b) {
  Affine out;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c)
      out.m[r][c] = a.m[r][0] * b.m[0][c] + a.m[r][1] * b.m[1][c] + a.m[r][2] * b.m[2][c] + (c == 3 ? a.m[r][3] : 0);
  return out;
}

Orientation Orientation::inverse() const {
  Orientation out;
  for (int a = 0; a < 3; ++a) out.axis[axis[a]] = a, out.flip[axis[a]] = flip[a];
  return out;
}

// The assignment of axes whose direction cosines with the canonical ones have the largest sum.
Orientation orientation_of(const Affine& affine) {
  check(affine.is_valid(), "orientation: the affine is not finite or not invertible");
  const Vec3 spacing = affine.spacing();
  std::array<int, 3> axes = {0, 1, 2};
  Orientation best;
  double most = -1;
  do {
    double sum = 0;
    for (int a = 0; a < 3; ++a) sum += std::abs(affine.m[2 - a][axes[a]]) / spacing[axes[a]];
    if (sum > most * (1 + 1e-12)) most = sum, best.axis = axes;
  } while (std::next_permutation(axes.begin(), axes.end()));
  for (int a = 0; a < 3; ++a) best.flip[a] = affine.m[2 - a][best.axis[a]] < 0;
  return best;
}

std::string orientation_code(const Affine& affine) {
  const Orientation grid = orientation_of(affine).inverse();  // of each axis of the grid: which canonical axis it is
  constexpr char letters[2][3] = {{'S', 'A', 'R'}, {'I', 'P', 'L'}};
  std::string code;
  for (int a = 2; a >= 0; --a) code += letters[grid.flip[a]][grid.axis[a]];
  return code;
}
std::string Volume::orientation_code() const { return voxgrad::orientation_code(affine); }

}  // namespace voxgrad
