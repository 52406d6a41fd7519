#pragma once
#include <cmath>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"
#include "tests/catch.h"

namespace voxgrad {

// Values in [-1, 1).
inline Tensor noise(const Shape& s, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (auto& x : v) x = rng.uniform(-1, 1);
  return Tensor::from(v, s);
}

// The largest one of an element; NaN where one is.
inline double difference(const Tensor& a, const Tensor& b) {
  const auto u = a.values(), v = b.values();
  REQUIRE(u.size() == v.size());
  double worst = 0;
  for (size_t i = 0; i < u.size(); ++i) worst = std::isnan(u[i]) || std::abs(u[i] - v[i]) > worst ? std::abs(u[i] - v[i]) : worst;
  return worst;
}

}  // namespace voxgrad
