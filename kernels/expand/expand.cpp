#include "kernels/expand/expand.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {

Tensor expand(const Tensor& x, const Shape& wanted) {
  Shape to = wanted, from = wanted;
  const int added = to.rank - x.shape().rank;
  check(x && added >= 0, "expand: ", x, " does not fit into ", wanted);
  std::vector<int> repeated;
  for (int k = 0; k < to.rank; ++k) {
    from[k] = k < added ? 1 : x.dim(k - added);
    if (to[k] == -1 && k >= added) to[k] = from[k];
    check(to[k] >= 0 && (from[k] == to[k] || from[k] == 1), "expand: ", x, " does not fit into ", wanted,
          ": its extents are those, 1 or absent");
    if (from[k] != to[k]) repeated.push_back(k);
  }
  if (repeated.empty()) return x.reshape(to);
  const Tensor y = Tensor::empty(to, x.dtype(), x.device());
  StridedCopy p = dense_copy(to, from, to);
  for (int k : repeated) p.from_stride[k] = 0;
  on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  return record({"expand", {{"shape", to}}}, {x}, y, [repeated, shape = x.shape(), t = x.dtype()](const Tensor& gy, Needs) {
    return Grads{sum(gy, repeated).to(t).reshape(shape)};
  });
}

bool broadcasts_to(const Shape& s, const Shape& to) {
  const int added = to.rank - s.rank;
  for (int k = 0; added >= 0 && k < s.rank; ++k)
    if (s[k] != 1 && s[k] != to[added + k]) return false;
  return added >= 0;
}

Tensor tile(const Tensor& x, const std::vector<int64_t>& counts) {
  check(bool(x), "tile: a tensor is wanted, not ", x);
  const int added = std::max(0, int(counts.size()) - x.shape().rank), rank = x.shape().rank + added;
  check(rank <= Shape::kMaxRank, "tile: ", counts.size(), " counts, for at most ", Shape::kMaxRank, " axes");
  Shape s;
  for (int k = 0; k < rank; ++k) s.dims[s.rank++] = k < added ? 1 : x.dim(k - added);
  Tensor y = x.reshape(s);
  for (int i = 1; i <= int(counts.size()); ++i) {
    const int64_t count = counts[counts.size() - size_t(i)];
    check(count >= 0, "tile: a count of ", count, ", not negative is wanted");
    const int k = rank - i;
    const int64_t outer = s.count(0, k), inner = s.count(k, rank);
    s[k] *= count;
    if (count != 1) y = expand(y.reshape({outer, 1, inner}), {outer, count, inner}).reshape(s);
  }
  return y;
}

}  // namespace voxgrad
