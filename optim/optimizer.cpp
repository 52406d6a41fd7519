#include "optim/optimizer.h"

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
  for (auto& g : groups_) check_gradients(g.parameters);
  update();
  for (auto& g : groups_) {
    for (auto& p : g.parameters)
      if (p.tensor.grad()) p.tensor.mark_written();
    clear_gradients(g.parameters);
  }
}

std::vector<Optimizer::Due> Optimizer::due(double weight_decay) const {
  std::vector<Due> out;
  size_t index = 0;
  for (auto& group : groups_)
    for (auto& p : group.parameters) {
      if (const Tensor g = p.tensor.grad())
        out.push_back({p.tensor, g, learning_rate_ * group.learning_rate_scale * scales_[index],
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
