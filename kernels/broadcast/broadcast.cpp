#include "kernels/broadcast/broadcast.h"

#include <algorithm>

#include "kernels/reduce/reduce.h"

namespace voxgrad {

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  Shape s = a.rank >= b.rank ? a : b;
  const Shape& other = a.rank >= b.rank ? b : a;
  for (int k = -1; k >= -other.rank; --k) {
    check(s[k] == other[k] || s[k] == 1 || other[k] == 1, op, ": shapes ", a, " and ", b,
          " cannot be broadcast: counted from the last axis, extents must agree or be 1");
    if (s[k] == 1) s[k] = other[k];
  }
  return s;
}

DType broadcast_dtype(const char* op, const Tensor& a, const Tensor& b, const Shape& result) {
  if (a.dtype() == b.dtype()) return a.dtype();
  const auto parameter_beside = [&](const Tensor& other, const Tensor& of) {
    return is_floating(of.dtype()) && other.dtype() == accum_of(of.dtype()) && (other.count() == 1 || other.shape() != result);
  };
  const bool second = parameter_beside(b, a), first = parameter_beside(a, b);
  check(second || first, op, ": dtypes ", name_of(a.dtype()), " and ", name_of(b.dtype()), " of ", a, " and ", b,
        " do not go together: one dtype is wanted, or f32 for an operand that repeats beside bf16 or f16");
  return second ? a.dtype() : b.dtype();
}

Broadcast broadcast_walk(const Shape& result, std::initializer_list<Shape> operands) {
  Broadcast all{.rank = result.rank, .count = result.count()};
  const int n = int(operands.size());
  for (int k = 0; k < result.rank; ++k) all.extent[k] = result[k];
  for (int o = 0; o < n; ++o) {
    const Shape& s = operands.begin()[o];
    int64_t step = 1;
    for (int k = s.rank - 1; k >= 0; --k) {
      all.stride[o][k + result.rank - s.rank] = s[k] == 1 ? 0 : step;
      step *= s[k];
    }
  }
  Broadcast p{.count = all.count};
  for (int k = 0; k < all.rank; ++k) {
    const int64_t extent = all.extent[k];
    if (extent == 1) continue;
    bool joined = p.rank > 0;
    for (int o = 0; o < n && joined; ++o) joined = p.stride[o][p.rank - 1] == all.stride[o][k] * extent;
    if (!joined) ++p.rank;
    p.extent[p.rank - 1] = joined ? p.extent[p.rank - 1] * extent : extent;
    for (int o = 0; o < n; ++o) p.stride[o][p.rank - 1] = all.stride[o][k];
  }
  return p;
}

Tensor sum_to(const Tensor& g, const Shape& s) {
  if (g.shape() == s) return g;
  std::vector<int> axes;
  const int more = g.shape().rank - s.rank;
  for (int k = 0; k < g.shape().rank; ++k)
    if (k < more || (s[k - more] == 1 && g.dim(k) != 1)) axes.push_back(k);
  return sum(g.detach(), axes, {.keep = true}).reshape(s);
}

}  // namespace voxgrad
