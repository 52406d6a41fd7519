#include "optim/optimizer.h"

#include "core/device/recorded_step.h"
#include "optim/state.h"

namespace voxgrad {

Optimizer::Optimizer(const char* who, std::vector<ParameterGroup> groups, double learning_rate)
    : who_(who), groups_(std::move(groups)), learning_rate_(learning_rate) {
  check_groups(who_, groups_);
  scale_learning_rates([](const std::string&) { return 1; });
}

void Optimizer::scale_learning_rates(const std::function<double(const std::string&)>& scale_of) {
  scales_.clear();
  for (auto& p : all()) scales_.push_back(scale_of(p.name));
}

void Optimizer::step() {
  // For a replay gradients are there on the device alone: those that were there when the step was recorded.
  const StepPhase phase = step_phase();
  if (phase == StepPhase::given)
    for (auto& g : groups_) check_gradients(g.parameters);
  else if (phase == StepPhase::recorded) check_judged(all());
  if (phase != StepPhase::replayed) {
    is_due_.clear();
    for (auto& g : groups_)
      for (auto& p : g.parameters) is_due_.push_back(bool(p.tensor.grad()));
  }
  update();
  size_t index = 0;
  for (auto& g : groups_) {
    for (auto& p : g.parameters)
      if (is_due_[index++]) p.tensor.mark_written();
    clear_gradients(g.parameters);
  }
}

std::vector<Optimizer::Due> Optimizer::due(double weight_decay) const {
  std::vector<Due> out;
  size_t index = 0;
  for (auto& group : groups_)
    for (auto& p : group.parameters) {
      if (is_due_.at(index))
        out.push_back({p.tensor, p.tensor.grad(), learning_rate_ * group.learning_rate_scale * scales_[index],
                       group.weight_decay.value_or(weight_decay), index});
      ++index;
    }
  return out;
}

Device Optimizer::device() const { return device_of(who_, groups_); }

std::vector<Tensor> Optimizer::zeros(bool wanted) const {
  std::vector<Tensor> out;
  for (auto& p : all()) out.push_back(wanted ? Tensor::zeros(p.tensor.shape(), p.tensor.dtype(), p.tensor.device()) : Tensor{});
  return out;
}

void Optimizer::append_state(std::vector<Parameter>& to, const char* what, const std::vector<Tensor>& values) const {
  const std::vector<Parameter> parameters = all();
  for (size_t i = 0; i < parameters.size(); ++i)
    if (values[i]) to.push_back({parameters[i].name + "." + what, values[i]});
}

void Optimizer::load_state(const std::vector<Parameter>& from) { copy_state(who_, from, state()); }

}  // namespace voxgrad
