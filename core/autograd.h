#pragma once
#include <array>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

namespace voxgrad {

// Which inputs want a gradient; handed to the backward so that it computes no other.
struct Needs {
  uint64_t bits = 0;
  bool operator[](int i) const { return bits >> i & 1; }
};
using Grads = std::vector<Tensor>;
using Backward = std::function<Grads(const Grads& of_outputs, Needs)>;

// One recorded operation or one leaf.
struct Node {
  enum class State : uint8_t { leaf, recorded, walked };
  struct Input {
    TensorInfo info;
    std::shared_ptr<Node> node;  // null: a constant
    uint16_t output;             // of that node
  };
  Op op{"leaf"};
  State state = State::leaf;
  bool retains = false;  // its gradients stay, as those of a leaf do
  uint64_t order;        // of creation, which is a topological order
  std::vector<Input> inputs;
  std::vector<TensorInfo> outputs;
  Backward backward;
  Grads grads;  // one per output, or none yet

  Node();
  ~Node();
  Node(const Node&) = delete;
};

enum class Recording : uint8_t { on, off, in_backward };

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
  Recording recording_;
  bool inference_;
};

// While alive, nothing is recorded on this thread; layers behave as in training.
class Unrecorded {
 public:
  Unrecorded();
  ~Unrecorded();
  Unrecorded(const Unrecorded&) = delete;

 private:
  Recording recording_;
};

struct Graph {
  // Whether an op on these inputs is recorded. Error in a backward that gives an op something with a gradient.
  static bool wanted(const std::vector<Tensor>& inputs, const char* op = "an op");
  static Tensor attach(const Op&, const std::vector<Tensor>& inputs, Tensor out, Backward);
  static std::vector<Tensor> attach(const Op&, const std::vector<Tensor>& inputs, std::vector<Tensor> outs, Backward);
  static Needs needs(const Node&);
  static bool recording();
  static const std::shared_ptr<Node>& node(const Tensor& t) { return t.node_; }
  static int output(const Tensor& t) { return t.output_; }
  // The op whose backward runs on this thread now, or null.
  static const char* in_backward_of();
};

// Returns `out`, knowing how to send its gradient to `inputs`. What the lambda captures is what is saved: capture explicitly and
// detached, so that a write to it before backward is an Error. The lambda returns one gradient per input (absent where not needed), each of
// the shape, dtype and device of that input; it computes with what it saved and its gradient alone (no second derivatives).
template <class F>
  requires std::is_invocable_r_v<Grads, F&, const Tensor&, Needs>
Tensor record(const Op& op, const std::vector<Tensor>& inputs, Tensor out, F&& backward) {
  if (!Graph::wanted(inputs, op.name)) return out;
  return Graph::attach(op, inputs, std::move(out), [f = std::forward<F>(backward)](const Grads& g, Needs n) mutable { return f(g[0], n); });
}

// The same for an op with several outputs: the lambda gets one gradient per output, absent where nothing depended on that output. Outputs
// of integers (indices, counts) have none and stay constants.
template <class F>
  requires std::is_invocable_r_v<Grads, F&, const Grads&, Needs>
std::vector<Tensor> record(const Op& op, const std::vector<Tensor>& inputs, std::vector<Tensor> outs, F&& backward) {
  if (!Graph::wanted(inputs, op.name)) return outs;
  return Graph::attach(op, inputs, std::move(outs), Backward(std::forward<F>(backward)));
}

// Gradients of `loss` are added to every leaf that it depends on. `seed` is the gradient of `loss` itself, of its shape, dtype and device;
// without one `loss` has one element, and 1 is meant. What was saved for an op is freed as soon as its backward has run; a graph can be
// walked once.
void backward(const Tensor& loss, const Tensor& seed = {});

// f(x) without keeping what f records: backward runs f again. Parameters that f uses get their gradients as always; one written in
// between is an Error. f must be a pure function of x, its parameters, and what it draws from the Training scope or an Rng of its own:
// the same numbers both times. Running statistics move once.
Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& x);

}  // namespace voxgrad
