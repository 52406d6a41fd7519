#pragma once
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

struct DropoutOptions {
  bool per_channel = false;  // whole channels of a sample of {N, .., C}
  bool always = false;       // also within Inference (Monte-Carlo dropout)
};

// Each element is 0 with probability p, else x / (1 - p). Element i (sample times channels plus channel, per channel) is decided by
// word i mod 4 of philox(rng.key(), i / 4, rng.counter()). Within Inference, x itself. Saves nothing: backward draws again.
Tensor dropout(const Tensor& x, double p, const Rng& rng, const DropoutOptions& options = {});

}  // namespace voxgrad
