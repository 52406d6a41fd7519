#pragma once
#include <array>
#include <string>

#include "core/tensor.h"

namespace voxgrad {

using Vec3 = std::array<double, 3>;

// Maps voxel indices (d, h, w, 1) of the tensor axes to world millimetres (x, y, z, 1) with x to the right, y anterior and z superior
// (RAS+, as in NIfTI and nibabel; DICOM, NRRD and MetaImage files are LPS+ and are converted). Indices are of voxel centres.
struct Affine {
  std::array<std::array<double, 4>, 4> m = {{{0, 0, 1, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}}};

  // Canonical axes (D superior, H anterior, W right) with the spacing {d, h, w} mm and the world position of voxel (0, 0, 0).
  static Affine scaling(const Vec3& spacing, const Vec3& origin = {});
  double operator()(int row, int column) const { return m[row][column]; }
  double& operator()(int row, int column) { return m[row][column]; }

  Vec3 spacing() const;  // {d, h, w} mm
  Vec3 origin() const { return {m[0][3], m[1][3], m[2][3]}; }
  Vec3 apply(const Vec3& dhw) const;  // world position of a voxel
  double determinant() const;         // of the 3x3 part
  bool is_valid() const;              // finite and invertible
  Affine inverse() const;
  // The grid of the same field of view whose voxels are `factor` {d, h, w} times as large: voxel borders coincide, centres need not.
  Affine resampled(const Vec3& factor) const;
  friend Affine operator*(const Affine& a, const Affine& b);
  friend bool operator==(const Affine&, const Affine&) = default;
};

// Which axis of a grid becomes which canonical one: canonical axis a (0: D superior, 1: H anterior, 2: W right) is axis[a] of the
// grid, read backwards where flip[a].
struct Orientation {
  std::array<int, 3> axis = {0, 1, 2};
  std::array<bool, 3> flip = {false, false, false};
  bool is_canonical() const { return *this == Orientation{}; }
  Orientation inverse() const;
  friend bool operator==(const Orientation&, const Orientation&) = default;
};
// The closest canonical axes of an affine.
Orientation orientation_of(const Affine&);

// The unit of length of a file. In memory all lengths are millimetres; writers that can say the unit write in it again.
enum class LengthUnit { millimetre, micrometre, metre };
double millimetres(LengthUnit);  // in one of it
const char* name_of(LengthUnit);  // "mm", "um", "m"

// A tensor {D, H, W, C} and where it lies in space.
struct Volume {
  Tensor data;
  Affine affine;
  LengthUnit unit = LengthUnit::millimetre;  // of the file that it came from or goes to
  // Of k-space in three dimensions: so many slices, one after the other, are frequencies of a second phase encoding. 0: numbers are real.
  int64_t kspace_planes = 1;
  Vec3 spacing() const { return affine.spacing(); }  // {d, h, w} mm
  // Where the axes W, H, D (the file's i, j, k) point to: "RAS" is canonical. The same letters as nibabel's aff2axcodes.
  std::string orientation_code() const;
};
std::string orientation_code(const Affine&);

// Voxels are moved, never computed. Tensors are {D, H, W} or {D, H, W, C} of any dtype on the CPU. What is already in place is
// shared, not copied.
Tensor to_canonical(const Tensor&, const Orientation& of_tensor);
Volume to_canonical(const Volume&);
// Back again: `orientation` is that of the grid to return to, orientation_of(original.affine).
Tensor from_canonical(const Tensor&, const Orientation& orientation);
Volume from_canonical(const Volume&, const Orientation& orientation);

}  // namespace voxgrad
