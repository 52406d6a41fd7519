#pragma once
#include <string>
#include <vector>

#include "core/autograd.h"

namespace voxgrad {

// One op, or one leaf, of a recorded graph.
struct GraphEntry {
  struct Input {
    TensorInfo tensor;
    int64_t entry = -1;  // of the list, that made it; -1: a constant
    int output = 0;      // which output of that entry
  };
  Op op;  // "leaf" for a leaf
  bool leaf = false;
  std::vector<Input> inputs;
  std::vector<TensorInfo> outputs;
};

// What `result` was computed by, inputs before their users; the last entry made `result`. To be asked for before backward, which frees the
// graph. A constant gives an empty list.
std::vector<GraphEntry> graph_of(const Tensor& result);

// One line per entry: "%2 = softmax(axis 2)(%0, constant f32 {3} on cpu) -> f32 {2, 3} on cpu".
std::string describe_graph(const Tensor& result);

}  // namespace voxgrad
