#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace voxgrad {

// Puts the elements in a random order (Fisher and Yates, from the last one on).
template <class T>
void shuffle(std::vector<T>& v, Rng& rng) {
  for (size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[size_t(rng.below(int64_t(i)))]);
}

}  // namespace voxgrad
