#pragma once
#include <algorithm>

#include "core/device/parallel.h"
#include "core/rng.h"
#include "core/tensor.h"

// Within degradations: noise that depends on the value of a voxel.
namespace voxgrad {

// A copy of x f32 with f(x, source), the source of voxel i being its own. What is negative counts as 0.
template <class F>
Tensor each_with_random(const Tensor& x, const Rng& rng, F&& f) {
  constexpr int64_t at_once = 1 << 12;
  const Tensor out = x.clone();
  float* v = out.view().as<float>();
  parallel_for(out.count(), at_once, [&](int64_t i) {
    Rng own = rng.at(uint64_t(i));
    v[i] = f(std::max(v[i], 0.f), own);
  });
  return out;
}

// A Poisson number with that mean: by counting up to 64 on average, beyond by the normal distribution of the same mean and variance, whose
// quantiles are then within a hundredth of a standard deviation.
double poisson_number(double mean, Rng&);

}  // namespace voxgrad
