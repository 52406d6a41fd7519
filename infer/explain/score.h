#pragma once
#include "models/network.h"

namespace voxgrad {

// What is explained: an output of a network, a scalar (infer/explain/explain.h). Which voxels count is decided once, by x.
class ExplainScore {
 public:
  ExplainScore(const Network&, const Tensor& x, int output);
  Tensor operator()(const Tensor& outputs) const;

 private:
  int output_;
  Tensor voxels_;  // f32 {N, D, H, W, 1}, 1 where they count; absent: values per image
};

}  // namespace voxgrad
