#include "tests/host_array.h"

#include <algorithm>

namespace voxgrad {
namespace {

// The element of x that meets element i of an array of rank `rank`.
double broadcast_at(const HostArray& x, const Index& i, int rank) {
  Index at{};
  for (int axis = 0; axis < x.shape.rank; ++axis)
    if (x.dim(axis) > 1) at[size_t(axis)] = i[size_t(axis + rank - x.shape.rank)];
  return x[at];
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape s = a.rank >= b.rank ? a : b;
  const Shape& other = a.rank >= b.rank ? b : a;
  for (int axis = -1; axis >= -other.rank; --axis)
    if (s[axis] == 1) s[axis] = other[axis];
  return s;
}

}  // namespace

size_t HostArray::offset(const Index& i) const {
  int64_t at = 0;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const int64_t k = i[size_t(axis)];
    check(k >= 0 && k < shape[axis], "reference: index ", k, " of axis ", axis, " is outside of ", shape);
    at = at * shape[axis] + k;
  }
  return size_t(at);
}

void for_each_index(const Shape& s, const std::function<void(const Index&)>& visit) {
  Index i{};
  for (int64_t left = s.count(); left > 0; --left) {
    visit(i);
    for (int axis = s.rank - 1; axis >= 0 && ++i[size_t(axis)] == s[axis]; --axis) i[size_t(axis)] = 0;
  }
}

HostArray host_array(const Shape& s, const std::function<double(const Index&)>& value) {
  HostArray y{s, {}};
  y.values.reserve(size_t(s.count()));
  for_each_index(s, [&](const Index& i) { y.values.push_back(value(i)); });
  return y;
}

Reference elementwise(std::function<double(double)> f) {
  return [f](const HostArrays& in) {
    HostArray y = in[0];
    std::transform(y.values.begin(), y.values.end(), y.values.begin(), f);
    return HostArrays{y};
  };
}

Reference elementwise(std::function<double(double, double)> f) {
  return [f](const HostArrays& in) {
    const Shape s = broadcast_shape(in[0].shape, in[1].shape);
    return HostArrays{
        host_array(s, [&](const Index& i) { return f(broadcast_at(in[0], i, s.rank), broadcast_at(in[1], i, s.rank)); })};
  };
}

}  // namespace voxgrad
