#include "own_op.h"

#include <voxgrad/core/autograd.h>

#include <cmath>

using namespace voxgrad;

namespace {

template <class T>
void forward(double beta, std::span<const T> x, std::span<T> y) {
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] / (1 + std::exp(T(-beta) * x[i]));
}

// d/dx x s(beta x) = s + beta x s (1 - s), s the logistic function.
template <class T>
void gradient(double beta, std::span<const T> x, std::span<const T> gy, std::span<T> gx) {
  for (size_t i = 0; i < x.size(); ++i) {
    const T s = 1 / (1 + std::exp(T(-beta) * x[i]));
    gx[i] = gy[i] * (s + T(beta) * x[i] * s * (1 - s));
  }
}

}  // namespace

Tensor swish(const Tensor& x, double beta) {
  check(x && x.device().is_cpu() && (x.dtype() == DType::f32 || x.dtype() == DType::f64), "swish: given ", x,
        ", f32 or f64 on the CPU is wanted");
  const Tensor y = Tensor::empty_like(x);
  if (x.dtype() == DType::f64) forward(beta, x.data<double>(), y.mutable_data<double>());
  else forward(beta, x.data<float>(), y.mutable_data<float>());
  return record({"swish", {{"beta", beta}}}, {x}, y, [beta, x = x.detach()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::empty_like(x);
    if (x.dtype() == DType::f64) gradient(beta, x.data<double>(), gy.data<double>(), gx.mutable_data<double>());
    else gradient(beta, x.data<float>(), gy.data<float>(), gx.mutable_data<float>());
    return Grads{gx};
  });
}
