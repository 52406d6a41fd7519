#include "optim/sgd.h"

#include "optim/state.h"
#include "optim/update_kernels.h"

namespace voxgrad {

Sgd::Sgd(std::vector<Parameter> parameters, const SgdOptions& o)
    : Sgd(std::vector<ParameterGroup>{{.parameters = std::move(parameters)}}, o) {}

Sgd::Sgd(std::vector<ParameterGroup> groups, const SgdOptions& o) : groups_(std::move(groups)), options_(o) {
  check_groups("Sgd", groups_);
  check(o.momentum >= 0 && o.momentum < 1 && o.weight_decay >= 0, "Sgd: momentum ", o.momentum, " must be in [0, 1), weight decay ",
        o.weight_decay, " not negative");
  for (auto& g : groups_) {
    auto& v = momentum_.emplace_back();
    for (auto& p : g.parameters)
      v.push_back(o.momentum > 0 ? Tensor::zeros(p.tensor.shape(), p.tensor.dtype(), p.tensor.device()) : Tensor{});
  }
}

void Sgd::step() {
  for (auto& g : groups_) check_gradients(g.parameters);
  std::vector<SgdTensor> tensors;
  for (size_t k = 0; k < groups_.size(); ++k) {
    const ParameterGroup& group = groups_[k];
    const SgdUpdate update = {options_.learning_rate * group.learning_rate_scale, options_.momentum,
                              group.weight_decay.value_or(options_.weight_decay), options_.nesterov};
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const Tensor& p = group.parameters[i].tensor;
      if (const Tensor g = p.grad()) tensors.push_back({update, p.count(), p.view(), g.view(), momentum_[k][i].view()});
    }
  }
  on_device(device_of("Sgd", groups_), [&](auto on) { sgd_update(on, tensors.data(), int64_t(tensors.size())); });
  for (auto& g : groups_) clear_gradients(g.parameters);
}

std::vector<Parameter> Sgd::state() const {
  std::vector<Parameter> out;
  for (size_t k = 0; k < groups_.size(); ++k)
    for (size_t i = 0; i < momentum_[k].size(); ++i)
      if (momentum_[k][i]) out.push_back({groups_[k].parameters[i].name + ".momentum", momentum_[k][i]});
  return out;
}
void Sgd::load_state(const std::vector<Parameter>& from) { copy_state("Sgd", from, state()); }

}  // namespace voxgrad
