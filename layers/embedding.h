#pragma once
#include "core/forward_hooks.h"
#include "core/rng.h"
#include "kernels/index_select/index_select.h"

namespace voxgrad {

struct EmbeddingLayer {
  int64_t count = 0;  // rows of the table: indices are 0 to count - 1
  int width = 0;      // of each row
};

// Indices {..} of any integer dtype to rows {.., width} of a table that is trained. Rows start from standard normal numbers, as PyTorch's.
struct Embedding {
  Tensor weight;  // {count, width}
  FIELDS(weight)

  Embedding() = default;
  Embedding(const EmbeddingLayer&, Rng&);
  Tensor operator()(const Tensor& index) const { return hooked(*this, embedding(weight, index)); }
};

}  // namespace voxgrad
