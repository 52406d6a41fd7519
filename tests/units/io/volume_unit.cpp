#include "io/volume.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
// An affine with oblique axes: axis order and signs, then a rotation of 0.2 about x and of 0.1 about z, spacings {3, 0.7, 1.2}.
Affine oblique(std::array<int, 3> row_of_axis, std::array<double, 3> sign) {
  const double c = std::cos(0.2), s = std::sin(0.2), e = std::cos(0.1), f = std::sin(0.1);
  const double r[3][3] = {{e, -f * c, f * s}, {f, e * c, -e * s}, {0, s, c}};
  const double spacing[3] = {3, 0.7, 1.2};
  Affine a;
  for (int row = 0; row < 3; ++row) {
    for (int axis = 0; axis < 3; ++axis) a(row, axis) = r[row][row_of_axis[axis]] * sign[axis] * spacing[axis];
    a(row, 3) = 10 * row - 7;
  }
  return a;
}

Tensor numbered(const Shape& s, DType t) {
  std::vector<double> values(size_t(s.count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = double(i % 251);
  return Tensor::from(values, s, t);
}
}  // namespace

TEST_CASE("an affine knows spacing, world positions and its inverse") {
  const Affine a = oblique({2, 1, 0}, {1, 1, 1});
  CHECK(a.spacing()[0] == Approx(3));
  CHECK(a.spacing()[1] == Approx(0.7));
  CHECK(a.spacing()[2] == Approx(1.2));
  const Affine one = a * a.inverse();
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) CHECK_FALSE(!(std::abs(one(r, c) - (r == c)) < 1e-12));
  CHECK(a.apply({0, 0, 0}) == Vec3{-7, 3, 13});
  CHECK(orientation_code(Affine::scaling({1, 2, 3})) == "RAS");
  CHECK(Affine::scaling({1, 2, 3}, {5, 6, 7}).apply({1, 1, 1}) == Vec3{8, 8, 8});
}

TEST_CASE("a resampled affine keeps the borders of the grid") {
  const Affine a = oblique({1, 2, 0}, {-1, 1, -1});
  const Affine b = a.resampled({2, 0.5, 3});
  const Vec3 before = a.apply({-0.5, -0.5, -0.5}), after = b.apply({-0.5, -0.5, -0.5});
  const Vec3 end_before = a.apply({3.5, 7.5, 5.5}), end_after = b.apply({1.5, 15.5, 1.5});  // 4 x 8 x 6 voxels become 2 x 16 x 2
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(!(std::abs(before[i] - after[i]) < 1e-12));
    CHECK_FALSE(!(std::abs(end_before[i] - end_after[i]) < 1e-12));
  }
}

TEST_CASE("every orientation goes to canonical axes and back, and voxels keep their place in the world") {
  const DType dtypes[] = {DType::u8, DType::i16, DType::f32, DType::f64};
  std::array<int, 3> order = {0, 1, 2};
  int at = 0;
  do {
    for (int signs = 0; signs < 8; ++signs, ++at) {
      const Affine affine = oblique(order, {signs & 1 ? -1. : 1., signs & 2 ? -1. : 1., signs & 4 ? -1. : 1.});
      const int64_t channels = 1 + at % 4;
      const Volume v{numbered({5, 37, 70, channels}, dtypes[at % 4]), affine};
      const Volume c = to_canonical(v);
      REQUIRE(c.orientation_code() == "RAS");
      const Volume back = from_canonical(c, orientation_of(affine));
      REQUIRE(back.data.shape() == v.data.shape());
      REQUIRE(back.data.values() == v.data.values());
      for (int r = 0; r < 3; ++r)
        for (int k = 0; k < 4; ++k) REQUIRE_FALSE(!(std::abs(back.affine(r, k) - affine(r, k)) < 1e-10));
      // A voxel found by its world position holds the same value.
      const auto values = v.data.values(), moved = c.data.values();
      const Affine to_voxel = c.affine.inverse();
      for (const Vec3 p : {Vec3{0, 0, 0}, Vec3{4, 36, 69}, Vec3{2, 11, 43}}) {
        const Vec3 q = to_voxel.apply(affine.apply(p));
        const auto index = [&](const Shape& s, const Vec3& w) {
          return size_t(((std::llround(w[0]) * s[1] + std::llround(w[1])) * s[2] + std::llround(w[2])) * channels);
        };
        REQUIRE(moved[index(c.data.shape(), q)] == values[index(v.data.shape(), p)]);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("orientation codes are those of nibabel") {
  // nibabel.aff2axcodes of the affine whose columns i, j, k are -x, -z, y.
  Affine a;
  a.m = {{{0, 0, -1, 0}, {1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 0, 1}}};
  CHECK(orientation_code(a) == "LIA");
  CHECK(to_canonical(Volume{numbered({2, 3, 4, 1}, DType::u8), a}).data.shape() == Shape{3, 2, 4, 1});
}

TEST_CASE("what is canonical already is shared, and label maps without channels move as well") {
  const Volume v{numbered({2, 3, 4, 1}, DType::u8), Affine::scaling({1, 1, 1})};
  CHECK(to_canonical(v).data.shares_memory_with(v.data));
  Orientation o;
  o.axis = {2, 0, 1}, o.flip = {true, false, true};
  const Tensor label = numbered({2, 3, 4}, DType::i32);
  const Tensor moved = to_canonical(label, o);
  CHECK(moved.shape() == Shape{4, 2, 3});
  CHECK(moved.values()[0] == label.values()[3 + 2 * 4]);  // d = 0, h = 2, w = 3
  CHECK(from_canonical(moved, o).values() == label.values());
}

TEST_CASE("a singular affine has no orientation") {
  Affine a;
  a(0, 2) = 0;
  CHECK_THROWS_AS(orientation_of(a), Error);
  CHECK_THROWS_AS(a.inverse(), Error);
  a(0, 2) = NAN;
  CHECK_FALSE(a.is_valid());
}
