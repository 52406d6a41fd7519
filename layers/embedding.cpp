#include "layers/embedding.h"

#include "kernels/random/random.h"

namespace voxgrad {

Embedding::Embedding(const EmbeddingLayer& o, Rng& rng) {
  check(o.count > 0 && o.width > 0, "Embedding: a table of ", o.count, " rows of ", o.width, ", positive numbers are wanted");
  weight = randn({o.count, o.width}, rng.split());
  weight.require_grad();
}

}  // namespace voxgrad
