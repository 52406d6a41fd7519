#pragma once
#include <algorithm>
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

// From -3 to 3: sums of products of few thousands of them are exact.
inline Tensor whole_noise(const Shape& s, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (auto& x : v) x = double(int(rng.uniform(-3, 4)));
  return Tensor::from(v, s);
}

// The largest one of an element; NaN where one is.
inline double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const auto u = a.values(), v = b.values();
  double most = 0;
  for (size_t i = 0; i < u.size(); ++i) {
    const double e = std::abs(u[i] - v[i]);
    if (std::isnan(e)) return e;
    most = std::max(most, e);
  }
  return most;
}

}  // namespace voxgrad
