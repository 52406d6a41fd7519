#pragma once
// Eigen under a name of the instruction set, so that none of its inline functions is shared with files compiled for another.
// GCC 12 and 13 warn about their own AVX-512 intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define EIGEN_DONT_PARALLELIZE
#define VOXGRAD_JOIN_NAMES(a, b) a##_##b
#define VOXGRAD_EIGEN_OF(isa) VOXGRAD_JOIN_NAMES(Eigen, isa)
#define Eigen VOXGRAD_EIGEN_OF(VOXGRAD_ISA_NAMESPACE)
#include <Eigen/Core>
