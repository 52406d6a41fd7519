#include "layers/ssim.h"

#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {

Tensor ssim(const Tensor& x, const Tensor& y, const SsimOptions& o) {
  check(x && y && x.info() == y.info() && x.shape().rank == 5,
        "ssim: two images of one shape {N, D, H, W, C}, dtype and device are wanted, ", "not ", x, " and ", y);
  check(o.window >= 3 && o.window % 2 == 1 && x.dim(2) >= o.window && x.dim(3) >= o.window && o.range > 0, "ssim: a window of ", o.window,
        " and a range of ", o.range, " for ", x);
  const double n = double(o.window) * o.window, unbiased = n / (n - 1), c1 = 1e-4 * o.range * o.range, c2 = 9e-4 * o.range * o.range;
  const auto local = [&](const Tensor& of) { return avg_pool3d(of, {.kernel = {1, o.window, o.window}, .stride = {1, 1, 1}}); };
  const Tensor mx = local(x), my = local(y), mxy = mx * my, squares = square(mx) + square(my);
  const Tensor covariance = (local(x * y) - mxy) * unbiased, variances = (local(square(x) + square(y)) - squares) * unbiased;
  return mean(((mxy * 2 + c1) * (covariance * 2 + c2)) / ((squares + c1) * (variances + c2)));
}

}  // namespace voxgrad
