#include <queue>

#include "core/autograd_scope.h"
#include "core/gradients/given_gradient.h"
#include "core/training.h"

namespace voxgrad {
namespace {
thread_local Node* running = nullptr;  // the node whose backward runs

struct Later {
  bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const { return a->order < b->order; }
};
// The nodes whose gradients are complete come first.
using Queue = std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, Later>;

// a + b, in the memory of `a` when nothing else refers to it.
Tensor sum_of(Tensor a, const Tensor& b) {
  if (!a.is_sole_owner()) a = a.clone();
  a.mark_written();
  on_device(a.device(), [&](auto on) { accumulate(on, a.count(), b.view(), a.view()); });
  return a;
}

// Adds g to the gradient of one output.
void give(Node& n, size_t output, Tensor g, Queue& ready, const std::shared_ptr<Node>& self) {
  if (n.grads.empty()) {
    n.grads.resize(n.outputs.size());
    if (n.state == Node::State::recorded) ready.push(self);
  }
  Tensor& sum = n.grads[output];
  sum = sum ? sum_of(std::exchange(sum, {}), g) : std::move(g);
}

Grads run(Node& n) {
  const Grads of_outputs = std::exchange(n.grads, {});
  Grads kept = n.retains ? of_outputs : Grads{};  // held meanwhile, so that no backward takes their memory for its own results
  const RecordingScope scope(Recording::in_backward, n.op.name);
  struct Running {
    Node* const around;
    explicit Running(Node& now) : around(std::exchange(running, &now)) {}
    ~Running() { running = around; }
  } const now(n);
  try {
    Grads grads = n.backward(of_outputs, Graph::needs(n));
    n.grads = std::move(kept);
    return grads;
  } catch (const OutOfMemory& e) { throw e.of(std::string("gradient of ") + n.op.name); }
}

void check_gradients(const Node& n, const Grads& grads) {
  check(grads.size() == n.inputs.size(), n.op.name, ": its backward returned ", grads.size(), " gradients for ", n.inputs.size(),
        " inputs");
  for (size_t i = 0; i < grads.size(); ++i)
    check(!n.inputs[i].node || !grads[i] || grads[i].info() == n.inputs[i].info, n.op.name, ": its backward returned ", grads[i].info(),
          " as the gradient of input ", i, ", wanted is ", n.inputs[i].info);
}

void walk(Queue& ready) {
  while (!ready.empty()) {
    const std::shared_ptr<Node> n = ready.top();
    ready.pop();
    Grads grads = run(*n);
    n->backward = nullptr;  // frees what was saved for it
    n->state = Node::State::walked;
    check_gradients(*n, grads);
    for (size_t i = 0; i < grads.size(); ++i) {
      const std::shared_ptr<Node> in = std::move(n->inputs[i].node);
      Tensor g = std::move(grads[i]).detach();
      grads[i] = {};
      if (!in || !g) continue;
      check(in->state != Node::State::walked, "backward: the part of this graph before ", n->op.name, " was walked already, by ",
            in->op.name);
      give(*in, n->inputs[i].output, std::move(g), ready, in);
    }
  }
}
}  // namespace

Tensor take_given_gradient(size_t input) {
  if (!running) return {};
  const Node::Input& in = running->inputs.at(input);
  if (!in.node || in.node->state != Node::State::recorded || in.node->grads.empty()) return {};
  return std::exchange(in.node->grads[in.output], {});
}

void backward(const Tensor& loss, const Tensor& seed) {
  check(loss.requires_grad(), "backward: the loss depends on nothing that requires a gradient");
  check(seed || loss.count() == 1, "backward: the loss is ", loss, "; one element is wanted, or a seed of its shape");
  check(!seed || seed.info() == loss.info(), "backward: the seed is ", seed.info(), " but the loss is ", loss.info());
  const auto root = Graph::node(loss);
  check(root->state != Node::State::walked, "backward: the graph of this loss was walked already, by ", root->op.name);
  const RecordingScope quiet(Recording::off);
  Queue ready;
  give(*root, size_t(Graph::output(loss)), seed ? seed.detach() : Tensor::full(loss.shape(), 1, loss.dtype(), loss.device()), ready, root);
  try {
    walk(ready);
  } catch (...) {  // a later walk does not start with half of these sums
    for (; !ready.empty(); ready.pop()) ready.top()->grads.clear();
    throw;
  }
}

Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  if (!Graph::recording()) return f(x);
  Training::Stream stream = Training::stream();
  stream.again = true;
  Tensor y;
  std::vector<Tensor> parameters;
  {
    const Unrecorded quiet;
    const SeenLeaves seen;
    y = f(x.detach());
    parameters = seen.leaves();
  }
  return Graph::attach("checkpoint", {x}, y, [f, stream, parameters, x = x.detach()](const Grads& gy, Needs needs) {
    for (const Tensor& p : parameters) p.view();  // an Error where one was written since
    const Training same_numbers(stream);
    Tensor input = x.detach();
    if (needs[0]) input.require_grad();
    Tensor again;
    {
      const RecordingScope recorded(Recording::on);
      again = f(input);
    }
    if (again.requires_grad()) backward(again, gy[0]);
    return Grads{needs[0] ? input.grad() : Tensor{}};
  });
}

}  // namespace voxgrad
