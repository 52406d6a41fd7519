#pragma once
#include <cstdint>

namespace voxgrad {

// Calls piece(first, count) for pieces of n, as equal as they can be and at most `most` long.
template <class F>
inline __attribute__((always_inline)) void for_pieces(int64_t n, int64_t most, F&& piece) {
  const int64_t pieces = (n + most - 1) / most;
  for (int64_t i = 0, first = 0; i < pieces; ++i) {
    const int64_t next = n * (i + 1) / pieces;
    piece(first, next - first);
    first = next;
  }
}

}  // namespace voxgrad
