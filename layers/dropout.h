#pragma once
#include "core/fields.h"
#include "kernels/dropout/dropout.h"

namespace voxgrad {

// Drops with probability p during training. Randomness is given, not drawn from a state: drop(x, rng.at(step)).
struct Dropout {
  double p = 0.5;
  bool per_channel = false;
  FIELDS()

  Tensor operator()(const Tensor& x, const Rng& rng) const { return p == 0 ? x : dropout(x, p, rng, {.per_channel = per_channel}); }
};

}  // namespace voxgrad
