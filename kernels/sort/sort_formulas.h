#pragma once
#include "core/dtype.h"

namespace voxgrad {

// What elements are compared as.
template <class T>
struct SortKeyOf {
  using type = T;
};
template <>
struct SortKeyOf<bf16> {
  using type = float;
};
template <>
struct SortKeyOf<f16> {
  using type = float;
};
template <class T>
using sort_key_t = typename SortKeyOf<T>::type;

// Whether a stands before b: numbers in their order, NaN behind all of them.
template <class K>
VOXGRAD_HD bool sorts_before(K a, K b, bool descending) {
  if (a != a) return false;
  if (b != b) return true;
  return descending ? a > b : a < b;
}

}  // namespace voxgrad
