#pragma once
#include "core/rng.h"
#include "core/tensor.h"

// Tensors of random numbers, the same bits on every device: element i is made of philox(rng.key(), i, rng.counter()) alone. The source is a
// value and does not move on: the same one twice gives the same numbers twice; rng.at(a, b) and rng.split() give others.
namespace voxgrad {

struct UniformOptions {
  double low = 0, high = 1;
  DType dtype = DType::f32;  // a floating one
  Device device = {};
};
// Uniform in [low, high): low + (high - low) u, u in [0, 1) of as many bits as the dtype holds (8, 11, 24, 53). Rounding may reach `high`
// where that is not a small whole number.
Tensor rand(const Shape&, const Rng&, const UniformOptions& = {});

struct NormalOptions {
  double mean = 0, deviation = 1;
  DType dtype = DType::f32;  // a floating one
  Device device = {};
};
// Normal (normal_of of core/rng.h, of 24 bits in every dtype).
Tensor randn(const Shape&, const Rng&, const NormalOptions& = {});

struct IntegerOptions {
  DType dtype = DType::i64;  // that holds low and high - 1
  Device device = {};
};
// Integers uniform in [low, high), by the product of 64 bits and high - low.
Tensor randint(const Shape&, int64_t low, int64_t high, const Rng&, const IntegerOptions& = {});

struct BernoulliOptions {
  DType dtype = DType::f32;  // a floating one
  Device device = {};
};
// 1 with probability p in [0, 1], else 0.
Tensor bernoulli(const Shape&, double p, const Rng&, const BernoulliOptions& = {});
// The same with a probability per element, of its dtype and on its device. Waits for the device, to report one beyond [0, 1] or NaN. Not
// differentiable.
Tensor bernoulli(const Tensor& p, const Rng&);

// The numbers 0 to n - 1 in random order, i64: the stable order of 64 random bits each.
Tensor randperm(int64_t n, const Rng&, Device = {});

}  // namespace voxgrad
