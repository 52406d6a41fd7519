// Ops that only move elements, against their definition index by index.
#include "core/autograd.h"
#include "kernels/concat/concat.h"
#include "kernels/flip/flip.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "kernels/slice/slice.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

using Index = std::vector<int64_t>;

// 0, 1, 2, .. modulo 251, exact in every dtype and different along every axis.
Tensor counted(const Shape& s, DType t) {
  std::vector<double> v(static_cast<size_t>(s.count()));
  for (size_t i = 0; i < v.size(); ++i) v[i] = double(i % 251);
  return Tensor::from(v, s, t);
}

double at(const std::vector<double>& values, const Shape& s, const Index& index) {
  int64_t flat = 0;
  for (int k = 0; k < s.rank; ++k) flat = flat * s[k] + index[size_t(k)];
  return values[size_t(flat)];
}

// Whether y[index] = expected(index) everywhere.
template <class F>
bool holds(const Tensor& y, F&& expected) {
  const std::vector<double> values = y.values();
  Index index(size_t(y.shape().rank));
  for (int64_t i = 0; i < y.count(); ++i) {
    int64_t rest = i;
    for (int k = y.shape().rank - 1; k >= 0; --k) index[size_t(k)] = rest % y.dim(k), rest /= y.dim(k);
    if (!(values[size_t(i)] == expected(index))) return false;
  }
  return true;
}

constexpr DType kAll[] = {DType::f32, DType::f64, DType::bf16, DType::u8, DType::i16, DType::i32};

}  // namespace

TEST_CASE("slice and crop3d take the elements they name, in any dtype") {
  for (DType t : kAll) {
    const Shape s = {2, 5, 6, 7, 3};
    const Tensor x = counted(s, t).to(t);
    const std::vector<double> v = x.values();
    for (int axis = 0; axis < 5; ++axis) {
      const Tensor y = slice(x, axis, 1, s[axis]);
      REQUIRE(y.shape() == s.with(axis, s[axis] - 1));
      CHECK(holds(y, [&](Index i) { return ++i[size_t(axis)], at(v, s, i); }));
    }
    CHECK(holds(crop3d(x, {1, 2, 3}, {3, 4, 2}), [&](const Index& i) { return at(v, s, {i[0], i[1] + 1, i[2] + 2, i[3] + 3, i[4]}); }));
  }
  CHECK(slice(Tensor::zeros({2, 3}), 1, 2, 2).shape() == Shape{2, 0});
}

TEST_CASE("permute moves axes, in any dtype and order") {
  for (DType t : kAll) {
    const Shape s = {2, 3, 17, 5, 70};
    const Tensor x = counted(s, t);
    const std::vector<double> v = x.values();
    for (const std::vector<int>& axes :
         {std::vector<int>{0, 4, 1, 2, 3}, {0, 2, 3, 4, 1}, {4, 3, 2, 1, 0}, {1, 0, 2, 4, 3}, {2, 0, 1, 3, 4}}) {
      const Tensor y = permute(x, axes);
      CHECK(holds(y, [&](const Index& i) {
        Index from(5);
        for (size_t k = 0; k < 5; ++k) from[size_t(axes[k])] = i[k];
        return at(v, s, from);
      }));
    }
  }
}

TEST_CASE("flip reverses the axes it names, in any dtype") {
  for (DType t : kAll)
    for (int64_t channels : {1, 3}) {
      const Shape s = {2, 3, 5, 7, channels};
      const Tensor x = counted(s, t);
      const std::vector<double> v = x.values();
      CHECK(holds(flip(x, {3}), [&](const Index& i) { return at(v, s, {i[0], i[1], i[2], 6 - i[3], i[4]}); }));
      CHECK(holds(flip(x, {1, -3}), [&](const Index& i) { return at(v, s, {i[0], 2 - i[1], 4 - i[2], i[3], i[4]}); }));
      CHECK(holds(flip(x, {0, 1, 2, 3, 4}), [&](const Index& i) {
        return at(v, s, {1 - i[0], 2 - i[1], 4 - i[2], 6 - i[3], channels - 1 - i[4]});
      }));
    }
}

TEST_CASE("concat puts tensors behind one another, in any dtype") {
  for (DType t : kAll)
    for (int axis = 0; axis < 5; ++axis) {
      const Shape s = {2, 3, 2, 3, 4}, first = s.with(axis, 1), second = s.with(axis, 5);
      const Tensor a = counted(first, t), b = counted(second, t);
      const std::vector<double> u = a.values(), v = b.values();
      const Tensor y = concat({a, b}, axis - 5);
      REQUIRE(y.shape() == s.with(axis, 6));
      CHECK(holds(y, [&](Index i) { return i[size_t(axis)] == 0 ? at(u, first, i) : (--i[size_t(axis)], at(v, second, i)); }));
    }
}

TEST_CASE("concat of one tensor with itself gives it both gradients") {
  Tensor x = Tensor::from({1, 2}, {2});
  x.require_grad();
  backward(concat({x, x}, 0), Tensor::from({1, 2, 3, 4}, {4}));
  CHECK(x.grad().values() == std::vector<double>{4, 6});
}

TEST_CASE("pad3d follows its modes, in any dtype") {
  const Shape s = {2, 3, 4, 5, 2};
  for (DType t : kAll)
    for (PadMode mode : {PadMode::constant, PadMode::edge, PadMode::reflect}) {
      const Tensor x = counted(s, t);
      const std::vector<double> v = x.values();
      const Int3 before = {2, 1, 3}, after = {1, 3, 4};
      const Tensor y = pad3d(x, before, after, {.mode = mode, .value = 7});
      REQUIRE(y.shape() == Shape{2, 6, 8, 12, 2});
      CHECK(holds(y, [&](Index i) {
        for (int k = 0; k < 3; ++k) {
          int64_t& p = i[size_t(k) + 1];
          const int64_t extent = s[k + 1];
          p -= before[k];
          if (mode == PadMode::edge) p = p < 0 ? 0 : p >= extent ? extent - 1 : p;
          if (mode == PadMode::reflect) p = p < 0 ? -p : p >= extent ? 2 * extent - 2 - p : p;
          if (p < 0 || p >= extent) return 7.0;
        }
        return at(v, s, i);
      }));
    }
}
