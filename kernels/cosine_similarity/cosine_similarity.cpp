#include "kernels/cosine_similarity/cosine_similarity.h"

#include <limits>

#include "kernels/binary/binary.h"
#include "kernels/copy/copy.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {

Tensor cosine_similarity(const Tensor& a, const Tensor& b, const CosineOptions& o) {
  check(a && b && is_floating(a.dtype()) && a.info() == b.info(),
        "cosine_similarity: two floating tensors of one shape, dtype and device are wanted, not ", a.info(), " and ", b.info());
  check(o.eps > 0, "cosine_similarity: eps is ", o.eps, ", a positive one is wanted");
  const int k = axis_of("cosine_similarity", a.shape(), o.axis);
  const Tensor x = a.to(accum_of(a.dtype())), y = b.to(accum_of(a.dtype()));
  // Clamped before the square root, whose derivative at 0 is infinite.
  const auto norm = [&](const Tensor& v) { return sqrt(clamp(sum(square(v), {k}), o.eps * o.eps, std::numeric_limits<float>::max())); };
  return sum(x * y, {k}) / (norm(x) * norm(y));
}

}  // namespace voxgrad
