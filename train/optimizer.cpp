#include "train/optimizer.h"

#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "optim/schedule.h"

namespace voxgrad {
namespace {

std::variant<Sgd, AdamW> make(const std::vector<Parameter>& p, const ScheduleConfig& c) {
  if (c.optimizer == "adamw") return AdamW(without_decay_on_vectors(p), {.learning_rate = c.learning_rate, .weight_decay = c.weight_decay});
  return Sgd(p, {.learning_rate = c.learning_rate, .momentum = c.momentum, .weight_decay = c.weight_decay});
}

}  // namespace

Optimizer::Optimizer(std::vector<Parameter> p, const ScheduleConfig& config)
    : parameters_(std::move(p)), config_(config), optimizer_(make(parameters_, config)) {}

double Optimizer::clip(double max_norm) { return max_norm > 0 ? clip_grad_norm(parameters_, max_norm) : gradient_norm(parameters_); }

void Optimizer::step(double fraction, int64_t step) {
  const double rate =
      poly_lr({.base = config_.learning_rate, .total = 1}, fraction, config_.poly) * warm_up(double(step), config_.warmup_steps);
  std::visit(
      [&](auto& o) {
        o.set_learning_rate(rate);
        o.step();
      },
      optimizer_);
}

double Optimizer::learning_rate() const {
  return std::visit([](auto& o) { return o.learning_rate(); }, optimizer_);
}

std::vector<Parameter> Optimizer::state() const {
  return std::visit([](auto& o) { return o.state(); }, optimizer_);
}

void Optimizer::load(const Checkpoint& c, const std::string& prefix) {
  std::vector<Parameter> state;
  for (auto& p : c.tensors)
    if (p.name.rfind(prefix, 0) == 0) state.push_back({p.name.substr(prefix.size()), p.tensor});
  std::visit([&](auto& o) { o.load_state(state); }, optimizer_);
}

void move_average(const std::vector<Parameter>& into, const std::vector<Parameter>& from, double decay, int64_t step) {
  const double d = std::min(decay, double(1 + step) / double(10 + step));
  for (size_t i = 0; i < from.size(); ++i) into[i].tensor.copy_from(add(affine(into[i].tensor, d, 0), affine(from[i].tensor, 1 - d, 0)));
}

}  // namespace voxgrad
