#include "core/autograd.h"

#include <atomic>
#include <map>

#include "core/autograd_scope.h"

namespace voxgrad {
namespace {
thread_local Recording recording_now = Recording::on;
thread_local const char* backward_of = nullptr;
thread_local bool inference = false;
thread_local SeenLeaves* seen_leaves = nullptr;
// The tensor is held so that its address is not another's meanwhile.
struct Kept {
  Tensor of;
  std::shared_ptr<void> thing;
};
thread_local std::map<std::pair<const void*, Inference::Use>, Kept> kept_things;
std::atomic<uint64_t> next_order{0};

std::shared_ptr<Node> node_of(const Op& op, const std::vector<Tensor>& inputs, Backward fn) {
  check(inputs.size() <= 64, op.name, ": ", inputs.size(), " inputs, at most 64 can be recorded");
  auto n = std::make_shared<Node>();
  n->op = op;
  n->state = Node::State::recorded;
  n->inputs.reserve(inputs.size());
  for (auto& t : inputs) n->inputs.push_back({t.info(), Graph::node(t), uint16_t(Graph::output(t))});
  n->backward = std::move(fn);
  return n;
}
}  // namespace

RecordingScope::RecordingScope(Recording r, const char* of) : recording_(recording_now), of_(backward_of) {
  recording_now = r;
  backward_of = of;
}
RecordingScope::~RecordingScope() {
  recording_now = recording_;
  backward_of = of_;
}

SeenLeaves::SeenLeaves() : around_(std::exchange(seen_leaves, this)) {}
SeenLeaves::~SeenLeaves() { seen_leaves = around_; }
void SeenLeaves::add(const Tensor& leaf) {
  for (const Tensor& t : leaves_)
    if (t.shares_memory_with(leaf)) return;
  leaves_.push_back(leaf.detach());
}

Inference::Inference() : recording_(recording_now), inference_(inference) {
  recording_now = Recording::off;
  inference = true;
}
Inference::~Inference() {
  recording_now = recording_;
  inference = inference_;
  if (!inference) kept_things.clear();
}
std::shared_ptr<void>* Inference::kept(const Tensor& of, const Use& use) {
  if (!inference) return nullptr;
  Kept& kept = kept_things[{of.view().data, use}];
  if (!kept.of) kept.of = of.detach();
  return &kept.thing;
}
bool Inference::active() { return inference; }
Unrecorded::Unrecorded() : recording_(recording_now) { recording_now = Recording::off; }
Unrecorded::~Unrecorded() { recording_now = recording_; }

Node::Node() : order(++next_order) {}

// A long chain of nodes is taken apart in a loop, not by recursion.
Node::~Node() {
  std::vector<Input> chain = std::move(inputs);
  while (!chain.empty()) {
    const std::shared_ptr<Node> n = std::move(chain.back().node);
    chain.pop_back();
    if (n.use_count() != 1) continue;  // absent, or held by somebody else
    for (auto& in : n->inputs) chain.push_back(std::move(in));
    n->inputs.clear();
  }
}

bool Graph::recording() { return recording_now == Recording::on; }
const char* Graph::in_backward_of() { return backward_of; }

bool Graph::wanted(const std::vector<Tensor>& inputs, const char* op) {
  if (recording_now == Recording::off) {
    for (auto& t : inputs)
      if (seen_leaves && t.node_) seen_leaves->add(t);
    return false;
  }
  for (auto& t : inputs) {
    if (!t.node_) continue;
    check(recording_now == Recording::on, op, ": it is given ", t, ", which requires a gradient, within the backward of ", backward_of,
          "; there are no second derivatives: detach() what a backward uses");
    return true;
  }
  return false;
}

Tensor Graph::attach(const Op& op, const std::vector<Tensor>& inputs, Tensor out, Backward fn) {
  check(bool(out), op.name, ": its result is ", out);
  if (!is_floating(out.dtype())) return out;
  auto n = node_of(op, inputs, std::move(fn));
  n->outputs = {out.info()};
  out.node_ = std::move(n);
  out.output_ = 0;
  out.saved_at_ = 0;
  return out;
}

std::vector<Tensor> Graph::attach(const Op& op, const std::vector<Tensor>& inputs, std::vector<Tensor> outs, Backward fn) {
  check(!outs.empty() && outs.size() <= 65535, op.name, ": ", outs.size(), " outputs, 1 to 65535 can be recorded");
  const auto n = node_of(op, inputs, std::move(fn));
  for (size_t i = 0; i < outs.size(); ++i) {
    n->outputs.push_back(outs[i].info());
    if (!outs[i] || !is_floating(outs[i].dtype())) continue;
    outs[i].node_ = n;
    outs[i].output_ = uint16_t(i);
    outs[i].saved_at_ = 0;
  }
  return outs;
}

Needs Graph::needs(const Node& n) {
  Needs out;
  for (size_t i = 0; i < n.inputs.size(); ++i)
    if (n.inputs[i].node) out.bits |= uint64_t(1) << i;
  return out;
}

Tensor& Tensor::require_grad(bool wanted) {
  if (!wanted) {
    node_ = nullptr;
    output_ = 0;
    saved_at_ = 0;
  } else if (!node_) {
    check(*this && is_floating(dtype_), "require_grad: ", *this, " has no gradient, a floating tensor is wanted");
    node_ = std::make_shared<Node>();
    node_->outputs = {info()};
    saved_at_ = 0;
  } else {
    check(node_->state == Node::State::leaf, "require_grad: ", *this, " is a result of ", node_->op.name,
          " and has a gradient already; retain_grad() keeps it, detach() first makes a leaf");
  }
  return *this;
}
Tensor& Tensor::retain_grad() {
  check(node_ != nullptr, "retain_grad: ", *this, " requires no gradient");
  check(node_->state != Node::State::walked, "retain_grad: backward has gone through this result of ", node_->op.name,
        " already; call it before");
  node_->retains = true;
  return *this;
}
Tensor Tensor::grad() const {
  check(node_ != nullptr, "grad: ", *this, " requires none");
  check(node_->state == Node::State::leaf || node_->retains, "grad: ", *this, " is a result of ", node_->op.name,
        ", and those do not keep their gradient; call retain_grad() on it before backward");
  const bool there = node_->state != Node::State::recorded && output_ < node_->grads.size();
  return there ? node_->grads[output_] : Tensor{};
}
void Tensor::clear_grad() const {
  if (node_ && node_->state != Node::State::recorded) node_->grads.clear();
}
void Tensor::set_grad(Tensor g) const {
  check(node_ && node_->state == Node::State::leaf, "set_grad: ", *this, " is no leaf that requires a gradient");
  check(!g || g.info() == info(), "set_grad: ", g.info(), " is no gradient of ", info());
  node_->grads.clear();
  if (g) node_->grads.push_back(std::move(g));
}

}  // namespace voxgrad
