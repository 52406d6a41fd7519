#include "kernels/fft/fft.h"

#include "core/autograd.h"
#include "kernels/fft/fft_kernels.h"

namespace voxgrad {
namespace {

Tensor transformed(const FftProblem& p, const Tensor& x) {
  const Tensor y = Tensor::empty_like(x);
  if (x.count()) on_device(x.device(), [&](auto on) { fft_axes(on, p, x.view(), y.view()); });
  return y;
}

Tensor transform(const char* name, const Tensor& x, int axes, bool inverse) {
  check(x && (x.dtype() == DType::f32 || x.dtype() == DType::f64) && x.shape().rank == 5, name,
        ": complex images f32 or f64 {N, D, H, W, 2 C} are wanted, not ", x);
  check(x.dim(4) % 2 == 0, name, ": ", x, " has ", x.dim(4), " channels, pairs of real and imaginary parts are wanted");
  check(axes >= 1 && axes <= 3, name, ": over ", axes, " axes, 1 to 3 are possible");
  FftProblem p{.axis = {}, .axes = axes, .inverse = inverse};
  const Shape& s = x.shape();
  for (int a = 0; a < axes; ++a) {
    const int k = 3 - a;
    p.axis[a] = {s.count(0, k), s[k], s.count(k + 1, 5) / 2};
  }
  return record({name, {{"axes", axes}}}, {x}, transformed(p, x), [p](const Tensor& gy, Needs) {
    FftProblem adjoint = p;
    adjoint.inverse = !p.inverse;
    return Grads{transformed(adjoint, gy)};
  });
}

}  // namespace

Tensor fft(const Tensor& x, int axes) { return transform("fft", x, axes, false); }
Tensor ifft(const Tensor& x, int axes) { return transform("ifft", x, axes, true); }

}  // namespace voxgrad
