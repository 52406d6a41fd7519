#pragma once
#include <cstdint>

// Parts of update_kernels.h that update_isa.cpp compiles for each instruction set.
namespace voxgrad::update_kernels {

// The sum of x[i]^2 in f64, in an order of n alone.
#define X(isa)                               \
  namespace isa {                            \
  double squares_of(int64_t n, const float*); \
  double squares_of(int64_t n, const double*); \
  }
X(baseline) X(avx2) X(avx512)
#undef X

}  // namespace voxgrad::update_kernels
