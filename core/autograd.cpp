#include "core/autograd.h"

#include <atomic>
#include <map>
#include <queue>
#include <string_view>
#include <utility>

#include "core/training.h"

namespace voxgrad {
namespace {
thread_local bool recording = true;
thread_local bool inference = false;
// The tensor is held so that its address is not another's meanwhile.
struct Kept {
  Tensor of;
  std::shared_ptr<void> thing;
};
thread_local std::map<std::pair<const void*, Inference::Use>, Kept> kept_things;
std::atomic<uint64_t> next_order{0};

struct Later {
  bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const { return a->order < b->order; }
};

// a + b, in the memory of `a` when nothing else refers to it.
Tensor sum_of(Tensor a, const Tensor& b) {
  if (!a.is_sole_owner()) a = a.clone();
  on_device(a.device(), [&](auto on) { accumulate(on, a.count(), b.view(), a.view()); });
  return a;
}
}  // namespace

Inference::Inference() : recording_(recording), inference_(inference) { recording = false, inference = true; }
Inference::~Inference() {
  recording = recording_, inference = inference_;
  if (!inference) kept_things.clear();
}
std::shared_ptr<void>* Inference::kept(const Tensor& of, const Use& use) {
  if (!inference) return nullptr;
  Kept& kept = kept_things[{of.view().data, use}];
  if (!kept.of) kept.of = of.detach();
  return &kept.thing;
}
bool Inference::active() { return inference; }
Unrecorded::Unrecorded() : recording_(recording) { recording = false; }
Unrecorded::~Unrecorded() { recording = recording_; }

// A long chain of nodes is taken apart in a loop, not by recursion.
Node::~Node() {
  std::vector<std::shared_ptr<Node>> chain = std::move(inputs);
  while (!chain.empty()) {
    const std::shared_ptr<Node> n = std::move(chain.back());
    chain.pop_back();
    if (n.use_count() != 1) continue;  // absent, or held by somebody else
    for (auto& in : n->inputs) chain.push_back(std::move(in));
    n->inputs.clear();
  }
}

bool Graph::recording() { return voxgrad::recording; }

bool Graph::wanted(const std::vector<Tensor>& inputs) {
  if (!voxgrad::recording) return false;
  for (auto& t : inputs)
    if (t.node_) return true;
  return false;
}

Tensor Graph::attach(const char* op, const std::vector<Tensor>& inputs, Tensor out, Backward fn) {
  check(inputs.size() <= 64, op, ": ", inputs.size(), " inputs, at most 64 can be recorded");
  auto n = std::make_shared<Node>();
  n->op = op;
  n->order = ++next_order;
  for (auto& t : inputs) n->inputs.push_back(t.node_);
  n->backward = std::move(fn);
  out.node_ = std::move(n);
  return out;
}

Needs Graph::needs(const Node& n) {
  Needs out;
  for (size_t i = 0; i < n.inputs.size(); ++i)
    if (n.inputs[i]) out.bits |= uint64_t(1) << i;
  return out;
}

void backward(const Tensor& loss, const Tensor& seed) {
  check(loss.requires_grad(), "backward: the loss depends on nothing that requires a gradient");
  check(!seed || (seed.shape() == loss.shape() && seed.dtype() == loss.dtype()), "backward: the seed is ", seed, " but the loss is ", loss);
  Unrecorded quiet;
  const auto root = Graph::node(loss);
  check(root->backward || root->op == std::string_view("leaf"), "backward: the graph of this loss was walked already");
  const Tensor first = seed ? seed.detach() : Tensor::full(loss.shape(), 1, loss.dtype(), loss.device());
  root->grad = root->grad ? sum_of(std::exchange(root->grad, {}), first) : first;
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, Later> ready;
  ready.push(root);
  while (!ready.empty()) {
    const std::shared_ptr<Node> n = ready.top();
    ready.pop();
    if (!n->backward) continue;  // a leaf keeps its gradient
    Grads grads;
    try {
      grads = n->backward(std::exchange(n->grad, {}), Graph::needs(*n));
    } catch (const OutOfMemory& e) { throw e.of(std::string("gradient of ") + n->op); }
    n->backward = nullptr;  // frees what was saved for it
    check(grads.size() == n->inputs.size(), n->op, ": its backward returned ", grads.size(), " gradients for ", n->inputs.size(),
          " inputs");
    n->op = "walked";
    for (size_t i = 0; i < grads.size(); ++i) {
      const std::shared_ptr<Node> in = std::move(n->inputs[i]);
      Tensor g = std::move(grads[i]).detach();
      grads[i] = {};
      if (!in || !g) continue;
      check(in->backward || in->op == std::string_view("leaf"), "backward: part of this graph was walked already");
      const bool waiting = bool(in->grad);
      in->grad = waiting ? sum_of(std::exchange(in->grad, {}), g) : std::move(g);
      if (!waiting && in->backward) ready.push(in);
    }
  }
}

Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  if (!Graph::recording()) return f(x);
  Training::Stream stream = Training::stream();
  stream.again = true;
  Tensor y;
  {
    Unrecorded quiet;
    y = f(x.detach());
  }
  return Graph::attach("checkpoint", {x}, y, [f, stream, x = x.detach()](const Tensor& gy, Needs needs) {
    const Training same_numbers(stream);
    Tensor input = x;
    if (needs[0]) input.require_grad();
    const bool before = std::exchange(recording, true);
    Tensor again;
    try {
      again = f(input);
    } catch (...) {
      recording = before;
      throw;
    }
    recording = before;
    if (again.requires_grad()) backward(again, gy);
    return Grads{needs[0] ? input.grad() : Tensor{}};
  });
}

Tensor& Tensor::require_grad(bool wanted) {
  if (!wanted) node_ = nullptr;
  else if (!node_ || node_->backward) {
    check(is_floating(dtype_), "require_grad: a tensor of ", name_of(dtype_), " has no gradient");
    node_ = std::make_shared<Node>();
  }
  return *this;
}
Tensor Tensor::grad() const {
  check(node_ != nullptr, "grad: this tensor requires none");
  return node_->grad;
}
void Tensor::clear_grad() const {
  if (node_) node_->grad = {};
}
void Tensor::set_grad(Tensor g) const {
  check(node_ != nullptr, "set_grad: this tensor requires none");
  check(!g || (g.shape() == shape_ && g.dtype() == dtype_), "set_grad: ", g, " is no gradient of ", *this);
  node_->grad = std::move(g);
}

}  // namespace voxgrad
