#pragma once
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <vector>

#include "core/error.h"

namespace voxgrad {

// Per-axis integers of a volume: depth, height, width.
struct Int3 {
  int d = 1, h = 1, w = 1;
  int operator[](int axis) const { return axis == 0 ? d : axis == 1 ? h : w; }
  int& operator[](int axis) { return axis == 0 ? d : axis == 1 ? h : w; }
  friend bool operator==(const Int3&, const Int3&) = default;
  friend std::ostream& operator<<(std::ostream& o, const Int3& v) { return o << v.d << 'x' << v.h << 'x' << v.w; }
};

// Extents of a dense row-major tensor, slowest axis first; rank 0 is a scalar. Volumes are {N, D, H, W, C}.
struct Shape {
  static constexpr int kMaxRank = 8;
  int64_t dims[kMaxRank] = {};
  int rank = 0;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  Shape(const std::vector<int64_t>& extents) : Shape(std::span(extents)) {}
  explicit Shape(std::span<const int64_t> extents) {
    check(extents.size() <= size_t(kMaxRank), "shape: ", extents.size(), " axes, at most ", kMaxRank, " are possible");
    for (auto v : extents) dims[rank++] = v;
  }

  // Negative axes count from the end. Error beyond the rank; `dims` is not checked.
  int64_t operator[](int i) const { return dims[axis(i)]; }
  int64_t& operator[](int i) { return dims[axis(i)]; }
  // The axis counted from the front.
  int axis(int i) const {
    if (i < -rank || i >= rank) [[unlikely]]
      no_axis(i);
    return i < 0 ? i + rank : i;
  }
  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dims[i];
    return n;
  }
  // Product of the extents of axes [begin, end).
  int64_t count(int begin, int end) const {
    int64_t n = 1;
    for (int i = begin; i < end; ++i) n *= dims[i];
    return n;
  }
  Shape with(int axis, int64_t extent) const {
    Shape s = *this;
    s[axis] = extent;
    return s;
  }
  // The spatial extents of {N, D, H, W, C}.
  Int3 spatial() const { return {int(dims[1]), int(dims[2]), int(dims[3])}; }

  friend bool operator==(const Shape&, const Shape&) = default;
  friend std::ostream& operator<<(std::ostream& o, const Shape& s) {
    o << '{';
    for (int i = 0; i < s.rank; ++i) o << (i ? ", " : "") << s.dims[i];
    return o << '}';
  }

 private:
  [[noreturn, gnu::cold]] void no_axis(int i) const;
};

}  // namespace voxgrad
