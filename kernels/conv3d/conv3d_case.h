#pragma once
// Included by files of cases, behind tests/op_case.h and tests/reference.h.
#include "kernels/conv3d/conv3d.h"

namespace voxgrad {

inline Reference conv3d_reference_of(const Conv3dOptions& o) {
  return [o](const HostArrays& in) { return HostArrays{conv3d_reference(in[0], in[1], in.size() > 2 ? in[2] : HostArray{}, o)}; };
}

// A convolution of x {N, D, H, W, C} to k channels.
inline OpCase conv3d_case(const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias) {
  OpCase c{.op = "conv3d", .name = name};
  c.inputs = {{.shape = x}, {.shape = {k, kernel.d, kernel.h, kernel.w, x[4]}, .role = Role::parameter}};
  if (bias) c.inputs.push_back({.shape = {k}, .role = Role::parameter});
  c.run = [o](const Tensors& in) { return conv3d(in[0], in[1], in.size() > 2 ? in[2] : Tensor{}, o); };
  c.reference = conv3d_reference_of(o);
  c.terms = int64_t(kernel.d) * kernel.h * kernel.w * x[4] + 1;
  return c;
}

}  // namespace voxgrad
