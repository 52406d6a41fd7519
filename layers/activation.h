#pragma once
#include "core/forward_hooks.h"

namespace voxgrad {

enum class ActivationKind { none, relu, leaky_relu, elu, gelu, sigmoid, silu, softplus, tanh };

// A pointwise function as a layer; no parameters.
struct Activation {
  ActivationKind kind = ActivationKind::leaky_relu;
  double slope = 0.01;  // of leaky_relu
  friend bool operator==(const Activation&, const Activation&) = default;
  FIELDS()

  Tensor operator()(const Tensor& x) const { return hooked(*this, apply(x)); }
  // Whether it is z > 0 ? z : s z, which norms compute on the way; and that s.
  bool is_fused() const { return kind <= ActivationKind::leaky_relu; }
  double fused_slope() const { return kind == ActivationKind::none ? 1 : kind == ActivationKind::relu ? 0 : slope; }

 private:
  Tensor apply(const Tensor& x) const;
};

}  // namespace voxgrad
