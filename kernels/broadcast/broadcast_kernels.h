#pragma once
#include <cstdint>

namespace voxgrad {

// The elements of a result, row-major, and the operands that are broadcast to it: at index i of the result operand k is read at
// sum_j i[j] stride[k][j], and a stride is 0 along an axis on which the operand repeats. Axes of extent 1 are left out, neighbours that all
// operands walk as one are joined, so that along the last axis each stride is 0 or 1.
struct Broadcast {
  static constexpr int kRank = 8, kOperands = 3;
  int rank = 0;
  int64_t count = 1;
  int64_t extent[kRank] = {}, stride[kOperands][kRank] = {};
};

}  // namespace voxgrad
