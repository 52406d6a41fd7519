#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

namespace voxgrad {

// Linear between order statistics, as NumPy's quantile; v is sorted and not empty, share in [0, 1]. Between equal values it is that value,
// also where it is infinite.
inline double quantile_of_sorted(const std::vector<double>& v, double share) {
  const double place = share * double(v.size() - 1), part = place - std::floor(place);
  const size_t low = size_t(place), high = std::min(v.size() - 1, low + 1);
  return v[low] == v[high] ? v[low] : v[low] + part * (v[high] - v[low]);
}

}  // namespace voxgrad
