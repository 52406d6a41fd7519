#include "layers/activation.h"

#include "kernels/pointwise/pointwise.h"

namespace voxgrad {

Tensor Activation::apply(const Tensor& x) const {
  switch (kind) {
    case ActivationKind::none: return x;
    case ActivationKind::relu: return relu(x);
    case ActivationKind::leaky_relu: return leaky_relu(x, slope);
    case ActivationKind::elu: return elu(x);
    case ActivationKind::gelu: return gelu(x);
    case ActivationKind::sigmoid: return sigmoid(x);
    case ActivationKind::silu: return silu(x);
    case ActivationKind::softplus: return softplus(x);
    case ActivationKind::tanh: return voxgrad::tanh(x);
  }
  fail("Activation: unknown kind ", int(kind));
}

}  // namespace voxgrad
