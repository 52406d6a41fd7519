#pragma once
#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Which inputs want a gradient; handed to the backward so that it computes no other.
struct Needs {
  uint64_t bits = 0;
  bool operator[](int i) const { return bits >> i & 1; }
};
using Grads = std::vector<Tensor>;
using Backward = std::function<Grads(const Tensor& grad_out, Needs)>;

// One recorded operation or, without `backward`, one leaf. Every op has one output.
struct Node {
  const char* op = "leaf";
  uint64_t order = 0;  // order of creation, which is a topological order
  std::vector<std::shared_ptr<Node>> inputs;
  Backward backward;
  Tensor grad;
  ~Node();
};

// While alive, nothing is recorded on this thread and layers behave as at inference (dropout and batch norm at rest). Parameters must
// not be written meanwhile: kernels keep what they derive from them.
class Inference {
 public:
  Inference();
  ~Inference();
  Inference(const Inference&) = delete;
  static bool active();

  // A place for something derived from a tensor on this thread, empty at first, that lasts as long as the outermost scope does. Null
  // outside of all scopes. `use` tells several such things apart.
  using Use = std::array<int64_t, 16>;
  static std::shared_ptr<void>* kept(const Tensor& of, const Use& use);

 private:
  bool recording_, inference_;
};

// While alive, nothing is recorded on this thread; layers behave as in training.
class Unrecorded {
 public:
  Unrecorded();
  ~Unrecorded();
  Unrecorded(const Unrecorded&) = delete;

 private:
  bool recording_;
};

struct Graph {
  static bool wanted(const std::vector<Tensor>& inputs);
  static Tensor attach(const char* op, const std::vector<Tensor>& inputs, Tensor out, Backward);
  static Needs needs(const Node&);
  static bool recording();
  static std::shared_ptr<Node> node(const Tensor& t) { return t.node_; }
};

// Returns `out`, knowing how to send its gradient to `inputs`. What the lambda captures is what is saved: capture explicitly.
// The lambda returns one gradient per input (absent where not needed), each of the shape, dtype and device of that input.
template <class F>
Tensor record(const char* op, const std::vector<Tensor>& inputs, Tensor out, F&& backward) {
  if (!Graph::wanted(inputs)) return out;
  return Graph::attach(op, inputs, std::move(out), Backward(std::forward<F>(backward)));
}

// Gradients of `loss` (with the cotangent `seed`, 1 without it) are added to every leaf that it depends on. What was saved for an
// op is freed as soon as its backward has run; a graph can be walked once.
void backward(const Tensor& loss, const Tensor& seed = {});

// f(x) without keeping what f records: backward runs f again. Parameters that f uses get their gradients as always. f must be a
// pure function of x, its parameters, and what it draws from the Training scope or an Rng of its own: the same numbers both times. Running
// statistics move once.
Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& x);

}  // namespace voxgrad
