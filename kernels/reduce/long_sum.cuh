#pragma once
#include "core/cuda/launch.h"

namespace voxgrad {

// Sums in f32 over blocks of 64 terms, these in f64: the error does not grow with their number.
struct LongSum {
  float block = 0;
  double total = 0;
  int count = 0;
  __device__ void add(float v) {
    block += v;
    if (++count < 64) return;
    total += double(block);
    block = 0;
    count = 0;
  }
  __device__ double value() const { return total + double(block); }
};

}  // namespace voxgrad
