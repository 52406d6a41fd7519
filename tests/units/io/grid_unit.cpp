#include "io/grid.h"

#include <cmath>
#include <numeric>

#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// Voxels of 1 x 2 x 3 mm (d, h, w), turned by `degrees` about the world's z axis.
Affine turned(double degrees) {
  const double c = std::cos(degrees * M_PI / 180), s = std::sin(degrees * M_PI / 180);
  Affine a;
  a.m = {{{0, -s * 2, c * 3, 5}, {0, c * 2, s * 3, -7}, {1, 0, 0, 11}, {0, 0, 0, 1}}};
  return a;
}

Volume counted(const Shape& s, const Affine& a, DType t = DType::f32) {
  std::vector<double> values(size_t(s.count()));
  std::iota(values.begin(), values.end(), 0);
  return {Tensor::from(values, s, t), a};
}
}  // namespace

TEST_CASE("one grid at any angle: the axes of two volumes are compared with each other") {
  const Shape s = {6, 5, 4, 1};
  for (int degrees = 0; degrees < 360; degrees += 15) {
    CAPTURE(degrees);
    const Grid a = grid_of(s, turned(degrees - 1e-4)), b = grid_of(s, turned(degrees + 1e-4));
    CHECK(compare_grids(a, b).same());
    CHECK(compare_grids(a, b).onto.is_canonical());
    const Volume v = counted(s, turned(degrees + 1e-4));
    const Volume there = on_grid(v, "label", a, "image");
    CHECK(there.affine == a.affine);
    CHECK(there.data.values() == v.data.values());
    CHECK_FALSE(compare_grids(a, grid_of(s, turned(degrees + 2))).same());
  }
  // 45 degrees: the two grids have different letters.
  CHECK(orientation_code(turned(44.9999)) != orientation_code(turned(45.0001)));
}

TEST_CASE("the same voxels in other axes are brought to the grid that is asked for") {
  const Volume v = counted({6, 5, 4, 2}, turned(30));
  const Grid grid = grid_of(v);
  std::array<int, 3> axes = {0, 1, 2};
  do {
    for (int flips = 0; flips < 8; ++flips) {
      const Orientation o = {.axis = axes, .flip = {(flips & 1) != 0, (flips & 2) != 0, (flips & 4) != 0}};
      const Volume other = from_canonical(v, o.inverse());
      const GridComparison c = compare_grids(grid, grid_of(other));
      CHECK(c.same());
      CHECK(c.voxels < 1e-9);
      const Volume back = on_grid(other, "b", grid, "a");
      CHECK(back.data.shape() == v.data.shape());
      CHECK(back.data.values() == v.data.values());
      CHECK(back.affine == v.affine);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
}

TEST_CASE("another grid is refused with its distance, from a twentieth of a voxel on") {
  const Volume image = counted({6, 5, 4, 1}, Affine::scaling({1, 2, 4}));
  const auto moved = [](double d, double h, double w) { return Affine::scaling({1, 2, 4}, {w, h, d}); };
  const auto refusal = [&](const Affine& a, const Shape& s = {6, 5, 4, 1}) {
    return error_of([&] { on_grid(counted(s, a), "label.nii", grid_of(image), "image.nii"); });
  };
  CHECK(refusal(moved(0.049, 0.098, 0.196)).empty());
  for (const Affine& a : {moved(0.051, 0, 0), moved(0, 0.102, 0), moved(0, 0, 0.204)})
    CHECK_THAT(refusal(a), Contains("label.nii: lies on another grid than image.nii") && Contains("0.051 voxels"));
  CHECK_THAT(refusal(moved(0, 0, 40)), Contains("10 voxels (40 mm)") && Contains("--resample"));
  CHECK_THAT(refusal(moved(0, 0, 0), {6, 5, 5, 1}), Contains("6 x 5 x 5, wanted 6 x 5 x 4") && Contains("1 voxels (4 mm)"));
  CHECK_THAT(refusal(Affine::scaling({1, 2, 4.1})), Contains("another grid"));
}

TEST_CASE("values on another grid: interpolated, or those of the nearest voxel; 0 outside") {
  // The value is a linear function of the place, so that interpolation gives it exactly between the voxels.
  const Shape s = {4, 5, 6, 1};
  const Affine a = Affine::scaling({1, 2, 3}, {10, 20, 30});
  Volume v = counted(s, a);
  std::vector<double> values;
  const auto f = [](const Vec3& p) { return 2 * p[0] - 0.5 * p[1] + p[2]; };
  for (int d = 0; d < 4; ++d)
    for (int h = 0; h < 5; ++h)
      for (int w = 0; w < 6; ++w) values.push_back(f(a.apply({double(d), double(h), double(w)})));
  v.data = Tensor::from(values, s, DType::f32);
  const Affine finer = Affine::scaling({0.5, 1, 1.5}, {11.5, 21, 30.5});
  const Grid grid = {{4, 5, 6}, finer};
  const Volume fine = on_grid(v, "v", grid, "grid", OtherGrid::resample_linear);
  CHECK(fine.data.shape() == s);
  for (int i = 0; i < 120; ++i) {
    const Vec3 at = {double(i / 30), double(i / 6 % 5), double(i % 6)};
    CHECK(std::abs(fine.data.values()[size_t(i)] - f(finer.apply(at))) < 1e-4);
  }
  const Volume labels = counted({2, 2, 2, 1}, Affine::scaling({1, 1, 1}), DType::u8);
  const Volume near = on_grid(labels, "l", {{2, 2, 4}, Affine::scaling({1, 1, 0.5}, {0.3, 0.2, -0.4})}, "g", OtherGrid::resample_nearest);
  CHECK(near.data.dtype() == DType::u8);
  CHECK(near.data.values() == std::vector<double>{0, 1, 1, 0, 2, 3, 3, 0, 4, 5, 5, 0, 6, 7, 7, 0});
}
