#include "optim/parameter_group.h"

#include <algorithm>
#include <cmath>

#include "optim/state.h"
#include "optim/update_kernels.h"

namespace voxgrad {

std::vector<ParameterGroup> without_decay_on_vectors(const std::vector<Parameter>& parameters) {
  ParameterGroup weights, vectors{.weight_decay = 0};
  for (auto& p : parameters) (p.tensor.shape().rank <= 1 ? vectors : weights).parameters.push_back(p);
  std::vector<ParameterGroup> out;
  for (auto& g : {weights, vectors})
    if (!g.parameters.empty()) out.push_back(g);
  return out;
}

std::vector<Parameter> all_parameters(const std::vector<ParameterGroup>& groups) {
  std::vector<Parameter> out;
  for (auto& g : groups) out.insert(out.end(), g.parameters.begin(), g.parameters.end());
  return out;
}

void check_gradients(const std::vector<Parameter>& parameters) {
  for (auto& p : parameters) {
    const Tensor g = p.tensor.grad();
    if (!g) continue;
    check(on_device(g.device(), [&](auto on) { return all_finite(on, g.count(), g.view()); }), "optimizer: the gradient of \"", p.name,
          "\" ", p.tensor.shape(), " is not finite");
  }
}

double gradient_norm(const std::vector<Parameter>& parameters) {
  double sum = 0;
  for (auto& p : parameters) {
    const Tensor g = p.tensor.grad();
    if (g) sum += on_device(g.device(), [&](auto on) { return sum_of_squares(on, g.count(), g.view()); });
  }
  if (!std::isfinite(sum)) check_gradients(parameters);
  return std::sqrt(sum);
}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: the largest norm is ", max_norm, ", a positive one is wanted");
  const double norm = gradient_norm(parameters);
  if (!(norm > max_norm)) return norm;
  for (auto& p : parameters) {
    Tensor g = p.tensor.grad();
    if (!g) continue;
    p.tensor.clear_grad();
    if (!g.is_sole_owner()) g = g.clone();  // the memory may be the gradient of another tensor too
    on_device(g.device(), [&](auto on) { scale_by(on, g.count(), max_norm / norm, g.view()); });
    p.tensor.set_grad(g);
  }
  return norm;
}

void clear_gradients(const std::vector<Parameter>& parameters) {
  for (auto& p : parameters) p.tensor.clear_grad();
}

void check_groups(const char* who, const std::vector<ParameterGroup>& groups) {
  std::vector<std::string> seen;
  for (auto& g : groups)
    for (auto& p : g.parameters) {
      check(p.tensor.requires_grad(), who, ": \"", p.name, "\" requires no gradient");
      check(p.tensor.dtype() == DType::f32 || p.tensor.dtype() == DType::f64, who, ": \"", p.name, "\" is ", p.tensor,
            ", f32 or f64 is wanted");
      seen.push_back(p.name);
    }
  check(!seen.empty(), who, ": no parameters");
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  check(twice == seen.end(), who, ": two parameters are named \"", twice == seen.end() ? "" : *twice, "\"");
}

void copy_state(const char* who, const std::vector<Parameter>& from, const std::vector<Parameter>& into) {
  for (auto& wanted : into) {
    const auto found = std::find_if(from.begin(), from.end(), [&](auto& p) { return p.name == wanted.name; });
    check(found != from.end(), who, ": the state has no \"", wanted.name, "\"");
    check(found->tensor.shape() == wanted.tensor.shape() && found->tensor.dtype() == wanted.tensor.dtype(), who, ": \"", wanted.name,
          "\" is ", found->tensor, " in the state, ", wanted.tensor, " is wanted");
  }
  for (auto& given : from)
    check(std::any_of(into.begin(), into.end(), [&](auto& p) { return p.name == given.name; }), who, ": the state holds \"", given.name,
          "\", which this optimizer does not have");
  for (auto& wanted : into)
    wanted.tensor.copy_from(std::find_if(from.begin(), from.end(), [&](auto& p) { return p.name == wanted.name; })->tensor);
}

}  // namespace voxgrad
