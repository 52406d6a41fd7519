#include "optim/lion/lion.h"

#include "optim/lion/lion_kernels.h"

namespace voxgrad {

Lion::Lion(std::vector<Parameter> parameters, const LionOptions& o)
    : Lion(std::vector<ParameterGroup>{{.parameters = std::move(parameters)}}, o) {}

Lion::Lion(std::vector<ParameterGroup> groups, const LionOptions& o) : Optimizer("Lion", std::move(groups), o.learning_rate), options_(o) {
  check(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 && o.weight_decay >= 0, "Lion: beta1 ", o.beta1, " and beta2 ", o.beta2,
        " must be in [0, 1), weight decay ", o.weight_decay, " not negative");
  mean_ = zeros();
}

void Lion::update() {
  std::vector<LionTensor> tensors;
  for (const Due& d : due(options_.weight_decay)) {
    const LionUpdate update = {d.learning_rate, options_.beta1, options_.beta2, d.weight_decay};
    tensors.push_back({update, d.parameter.count(), d.parameter.view(), d.gradient.view(), mean_[d.index].view()});
  }
  on_device(device(), [&](auto on) { lion_update(on, tensors.data(), int64_t(tensors.size())); });
}

std::vector<Parameter> Lion::state() const {
  std::vector<Parameter> out;
  append_state(out, "mean", mean_);
  return out;
}

}  // namespace voxgrad
