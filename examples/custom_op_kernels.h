#pragma once
#include "core/device/execution.h"
#include "core/dtype.h"
#include "core/view.h"

// What both devices compute, for n elements: y = x / (1 + |x| / limit) and gx = gy / (1 + |x| / limit)^2.
template <class S>
VOXGRAD_HD S soft_clip(S x, S limit) {
  return x / (S(1) + (x < S(0) ? -x : x) / limit);
}
template <class S>
VOXGRAD_HD S soft_clip_gradient(S x, S gy, S limit) {
  const S s = S(1) + (x < S(0) ? -x : x) / limit;
  return gy / (s * s);
}

void soft_clip_kernel(voxgrad::Cpu, double limit, int64_t n, voxgrad::View x, voxgrad::View y);
void soft_clip_kernel(voxgrad::Cuda, double limit, int64_t n, voxgrad::View x, voxgrad::View y);
void soft_clip_gradient_kernel(voxgrad::Cpu, double limit, int64_t n, voxgrad::View x, voxgrad::View gy, voxgrad::View gx);
void soft_clip_gradient_kernel(voxgrad::Cuda, double limit, int64_t n, voxgrad::View x, voxgrad::View gy, voxgrad::View gx);
