#pragma once
#include <array>
#include <functional>
#include <vector>

#include "core/shape.h"

namespace voxgrad {

// Coordinates of an element, slowest axis first; those beyond the rank are 0.
using Index = std::array<int64_t, Shape::kMaxRank>;

// f64 values in the host's memory, row-major: what references of op cases read and give.
struct HostArray {
  Shape shape;
  std::vector<double> values;

  int64_t dim(int axis) const { return shape[axis]; }
  // An Error for coordinates outside of the shape.
  size_t offset(const Index&) const;
  double& operator[](const Index& i) { return values[offset(i)]; }
  double operator[](const Index& i) const { return values[offset(i)]; }
  // at(n, d, h, w, c)
  template <class... I>
  double at(I... i) const {
    return values[offset(Index{int64_t(i)...})];
  }
};
using HostArrays = std::vector<HostArray>;

// Every index of a shape, in the order of memory.
void for_each_index(const Shape&, const std::function<void(const Index&)>&);

// An array of value(i) at each i.
HostArray host_array(const Shape&, const std::function<double(const Index&)>& value);
inline HostArray host_zeros(const Shape& s) { return {s, std::vector<double>(size_t(s.count()))}; }

// The expected outputs of an op for its inputs.
using Reference = std::function<HostArrays(const HostArrays&)>;

// y[i] = f(x[i]) of the first input.
Reference elementwise(std::function<double(double)> f);
// y[i] = f(a[i], b[i]) of the first two, broadcast as NumPy does: axes are matched from the last one, those of extent 1 or absent repeat.
Reference elementwise(std::function<double(double, double)> f);

}  // namespace voxgrad
