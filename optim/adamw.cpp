#include "optim/adamw.h"

#include <cmath>

#include "optim/state.h"
#include "optim/update_kernels.h"

namespace voxgrad {

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& o)
    : AdamW(std::vector<ParameterGroup>{{.parameters = std::move(parameters)}}, o) {}

AdamW::AdamW(std::vector<ParameterGroup> groups, const AdamWOptions& o) : groups_(std::move(groups)), options_(o) {
  check_groups("AdamW", groups_);
  check(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 && o.eps > 0 && o.weight_decay >= 0, "AdamW: beta1 ", o.beta1,
        " and beta2 ", o.beta2, " must be in [0, 1), eps ", o.eps, " positive, weight decay ", o.weight_decay, " not negative");
  for (auto& g : groups_) {
    auto& moments = moments_.emplace_back();
    for (auto& p : g.parameters) {
      const auto zeros = [&] { return Tensor::zeros(p.tensor.shape(), p.tensor.dtype(), p.tensor.device()); };
      moments.push_back(
          {.mean = zeros(), .square = zeros(), .largest = o.amsgrad ? zeros() : Tensor{}, .steps = Tensor::zeros({}, DType::i32)});
    }
  }
}

void AdamW::step() {
  for (auto& g : groups_) check_gradients(g.parameters);
  std::vector<AdamWTensor> tensors;
  for (size_t k = 0; k < groups_.size(); ++k) {
    const ParameterGroup& group = groups_[k];
    AdamWUpdate update = {options_.learning_rate * group.learning_rate_scale, options_.beta1, options_.beta2, options_.eps,
                          group.weight_decay.value_or(options_.weight_decay)};
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const Tensor& p = group.parameters[i].tensor;
      const Tensor g = p.grad();
      if (!g) continue;
      const Moments& m = moments_[k][i];
      const int32_t t = ++m.steps.data<int32_t>()[0];
      update.correction1 = 1 - std::pow(options_.beta1, t);
      update.correction2 = 1 - std::pow(options_.beta2, t);
      tensors.push_back({update, p.count(), p.view(), g.view(), m.mean.view(), m.square.view(), m.largest.view()});
    }
  }
  on_device(device_of("AdamW", groups_), [&](auto on) { adamw_update(on, tensors.data(), int64_t(tensors.size())); });
  for (auto& g : groups_) clear_gradients(g.parameters);
}

std::vector<Parameter> AdamW::state() const {
  std::vector<Parameter> out;
  for (size_t k = 0; k < groups_.size(); ++k)
    for (size_t i = 0; i < moments_[k].size(); ++i) {
      const std::string& name = groups_[k].parameters[i].name;
      const Moments& m = moments_[k][i];
      out.push_back({name + ".mean", m.mean});
      out.push_back({name + ".square", m.square});
      if (m.largest) out.push_back({name + ".largest", m.largest});
      out.push_back({name + ".steps", m.steps});
    }
  return out;
}
void AdamW::load_state(const std::vector<Parameter>& from) { copy_state("AdamW", from, state()); }

}  // namespace voxgrad
