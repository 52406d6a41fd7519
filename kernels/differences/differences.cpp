#include "kernels/differences/differences.h"

#include "core/autograd.h"
#include "kernels/differences/differences_kernels.h"

namespace voxgrad {
namespace {

Tensor differences_of(const DifferencesProblem& p, bool back, const Tensor& from) {
  const Shape s(std::span<const int64_t>(p.extent, 5));
  const Tensor into = Tensor::empty(back ? s : s.with(4, s[4] * p.axes), from.dtype(), from.device());
  if (into.count())
    on_device(from.device(), [&](auto on) {
      back ? differences_back(on, p, from.view(), into.view()) : forward_differences(on, p, from.view(), into.view());
    });
  return into;
}

Tensor recorded_differences(const char* name, bool back, const Tensor& x, int axes) {
  check(x && (x.dtype() == DType::f32 || x.dtype() == DType::f64) && x.shape().rank == 5, name,
        ": a tensor f32 or f64 {N, D, H, W, C} is wanted, not ", x);
  check(axes >= 1 && axes <= 3, name, ": along ", axes, " axes, 1 to 3 are possible");
  check(!back || x.dim(4) % axes == 0, name, ": ", x, " has ", x.dim(4), " channels, a multiple of ", axes, " is wanted");
  DifferencesProblem p{.extent = {}, .axes = axes};
  for (int k = 0; k < 5; ++k) p.extent[k] = x.dim(k);
  if (back) p.extent[4] /= axes;
  return record({name, {{"axes", axes}}}, {x}, differences_of(p, back, x),
                [p, back](const Tensor& g, Needs) { return Grads{differences_of(p, !back, g)}; });
}

}  // namespace

Tensor differences(const Tensor& x, int axes) { return recorded_differences("differences", false, x, axes); }
Tensor differences_adjoint(const Tensor& y, int axes) { return recorded_differences("differences_adjoint", true, y, axes); }

}  // namespace voxgrad
