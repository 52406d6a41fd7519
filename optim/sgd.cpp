#include "optim/sgd.h"

#include "optim/update_kernels.h"

namespace voxgrad {

Sgd::Sgd(std::vector<Parameter> parameters, const SgdOptions& o)
    : Sgd(std::vector<ParameterGroup>{{.parameters = std::move(parameters)}}, o) {}

Sgd::Sgd(std::vector<ParameterGroup> groups, const SgdOptions& o) : Optimizer("Sgd", std::move(groups), o.learning_rate), options_(o) {
  check(o.momentum >= 0 && o.momentum < 1 && o.weight_decay >= 0, "Sgd: momentum ", o.momentum, " must be in [0, 1), weight decay ",
        o.weight_decay, " not negative");
  momentum_ = zeros(o.momentum > 0);
}

void Sgd::update() {
  std::vector<SgdTensor> tensors;
  for (const Due& d : due(options_.weight_decay)) {
    const SgdUpdate update = {d.learning_rate, options_.momentum, d.weight_decay, options_.nesterov};
    tensors.push_back({update, d.parameter.count(), d.parameter.view(), d.gradient.view(), momentum_[d.index].view()});
  }
  on_device(device(), [&](auto on) { sgd_update(on, tensors.data(), int64_t(tensors.size())); });
}

std::vector<Parameter> Sgd::state() const {
  std::vector<Parameter> out;
  append_state(out, "momentum", momentum_);
  return out;
}

}  // namespace voxgrad
