#pragma once
#include <cmath>

namespace voxgrad {

// |a - b| <= limit max(1, |b|); false for NaN.
inline bool close(double a, double b, double limit = 1e-12) { return std::abs(a - b) <= limit * std::fmax(1, std::abs(b)); }

}  // namespace voxgrad
