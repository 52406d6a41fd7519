#include "train/optimizer.h"

#include "core/config/json_values.h"
#include "optim/schedule.h"

namespace voxgrad {

Options optimizer_options(const ScheduleConfig& c) {
  const Options options = optimizers().find(c.optimizer).options();
  for (auto& key : options.keys()) {
    if (key.name == "learning_rate") key.set(c.learning_rate);
    if (key.name == "momentum") key.set(c.momentum);
    if (key.name == "weight_decay") key.set(c.weight_decay);
    const auto own = c.optimizer_options.find(c.optimizer + "." + key.name);
    if (own != c.optimizer_options.end()) key.set(Json::parse(own->second));
  }
  return options;
}

ScheduledOptimizer::ScheduledOptimizer(std::vector<Parameter> p, const ScheduleConfig& config)
    : parameters_(std::move(p)),
      config_(config),
      optimizer_(optimizers().find(config.optimizer).make(parameters_, optimizer_options(config))) {}

double ScheduledOptimizer::clip(double max_norm) {
  return max_norm > 0 ? clip_grad_norm(parameters_, max_norm) : gradient_norm(parameters_);
}

void ScheduledOptimizer::schedule(double fraction, int64_t step) {
  const double rate =
      poly_lr({.base = config_.learning_rate, .total = 1}, fraction, config_.poly) * warm_up(double(step), config_.warmup_steps);
  optimizer_->set_learning_rate(rate);
}

void ScheduledOptimizer::load(const Checkpoint& c, const std::string& prefix) {
  std::vector<Parameter> state;
  for (auto& p : c.tensors)
    if (p.name.rfind(prefix, 0) == 0) state.push_back({p.name.substr(prefix.size()), p.tensor});
  optimizer_->load_state(state);
}

}  // namespace voxgrad
