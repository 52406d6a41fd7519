#pragma once
#include "core/forward_hooks.h"
#include "kernels/dropout/dropout.h"

namespace voxgrad {

// Layers that drop at random during training; within Inference and after eval(..) they return x. drop(x) draws from the Training scope
// of this thread (core/training.h) and is an Error without one; drop(x, rng) is given its randomness. p within 0 and 1.

// Elements, or whole channels of a sample, are 0 with probability p, else times 1 / (1 - p). Srivastava et al. 2014.
struct Dropout {
  double p = 0.5;
  bool per_channel = false;
  Mode mode = {};
  FIELDS(mode)

  Tensor operator()(const Tensor& x) const;
  Tensor operator()(const Tensor& x, const Rng&) const;
};

// Stochastic depth: x {N, ..} is 0 for a whole sample with probability p, else times 1 / (1 - p). At the end of the branch of a residual
// block, x + drop(f(x)), the sample skips f. Huang et al. 2016.
struct DropPath {
  double p = 0.1;
  Mode mode = {};
  FIELDS(mode)

  Tensor operator()(const Tensor& x) const;
  Tensor operator()(const Tensor& x, const Rng&) const;
};

}  // namespace voxgrad
