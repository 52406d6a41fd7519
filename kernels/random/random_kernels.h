#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

enum class RandomKind : uint8_t { uniform, normal, bernoulli };

// Element i < n of floating numbers from philox(key, i, stream): uniform in [a, b), normal of mean a and deviation b, or 1 with probability
// p[i] (b where p is absent), else 0.
struct RandomFill {
  RandomKind kind;
  uint64_t key, stream;
  int64_t n;
  double a, b;
};
void fill_random(Cpu, const RandomFill&, View p, View y);
void fill_random(Cuda, const RandomFill&, View p, View y);

// Integers low + floor(bits range / 2^64), bits: the first two words; range 0 stands for 2^64.
struct RandomIntegers {
  uint64_t key, stream;
  int64_t n, low;
  uint64_t range;
};
void fill_integers(Cpu, const RandomIntegers&, View y);
void fill_integers(Cuda, const RandomIntegers&, View y);

}  // namespace voxgrad
