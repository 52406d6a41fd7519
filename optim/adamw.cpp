#include "optim/adamw.h"

#include <cmath>

#include "optim/update_kernels.h"

namespace voxgrad {

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& o)
    : AdamW(std::vector<ParameterGroup>{{.parameters = std::move(parameters)}}, o) {}

AdamW::AdamW(std::vector<ParameterGroup> groups, const AdamWOptions& o)
    : Optimizer("AdamW", std::move(groups), o.learning_rate), options_(o) {
  check(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 && o.eps > 0 && o.weight_decay >= 0, "AdamW: beta1 ", o.beta1,
        " and beta2 ", o.beta2, " must be in [0, 1), eps ", o.eps, " positive, weight decay ", o.weight_decay, " not negative");
  const auto means = zeros(), squares = zeros(), largest = zeros(o.amsgrad);
  for (size_t i = 0; i < means.size(); ++i) moments_.push_back({means[i], squares[i], largest[i], Tensor::zeros({}, DType::i32)});
}

void AdamW::update() {
  std::vector<AdamWTensor> tensors;
  for (const Due& d : due(options_.weight_decay)) {
    const Moments& m = moments_[d.index];
    const int32_t t = ++m.steps.mutable_data<int32_t>()[0];
    const AdamWUpdate update = {d.learning_rate, options_.beta1,  options_.beta2,
                                options_.eps,    d.weight_decay, 1 - std::pow(options_.beta1, t),
                                1 - std::pow(options_.beta2, t)};
    const Tensor& p = d.parameter;
    tensors.push_back({update, p.count(), p.view(), d.gradient.view(), m.mean.view(), m.square.view(), m.largest.view()});
  }
  on_device(device(), [&](auto on) { adamw_update(on, tensors.data(), int64_t(tensors.size())); });
}

std::vector<Parameter> AdamW::state() const {
  std::vector<Parameter> out;
  const std::vector<Parameter> parameters = all();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    const Moments& m = moments_[i];
    out.push_back({name + ".mean", m.mean});
    out.push_back({name + ".square", m.square});
    if (m.largest) out.push_back({name + ".largest", m.largest});
    out.push_back({name + ".steps", m.steps});
  }
  return out;
}

}  // namespace voxgrad
