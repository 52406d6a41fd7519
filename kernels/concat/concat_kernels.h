#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Rows of `width` elements are made of the rows of the parts, in their order. An absent part is left out of a split.
struct RowParts {
  static constexpr int kMost = 64;
  int64_t rows = 0, width = 0;
  int count = 0;
  int64_t part_width[kMost] = {};
  View part[kMost] = {};
};
void join_rows(Cpu, const RowParts&, View whole);
void split_rows(Cpu, const RowParts&, View whole);
void join_rows(Cuda, const RowParts&, View whole);
void split_rows(Cuda, const RowParts&, View whole);

}  // namespace voxgrad
