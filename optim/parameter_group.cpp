#include "optim/parameter_group.h"

#include <algorithm>
#include <cmath>

#include "core/cuda/step_slots.h"
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

namespace {
// The gradients that are there, and whose they are.
struct Gradients {
  std::vector<FlatView> views;
  std::vector<const Parameter*> owners;
  Device device;
};
// Those that are known to be finite are left out where `known` is false.
Gradients gradients_of(const std::vector<Parameter>& parameters, bool known = true) {
  Gradients all;
  for (auto& p : parameters) {
    const Tensor g = p.tensor.grad();
    if (!g || (!known && g.is_known_finite())) continue;
    check(all.views.empty() || g.device() == all.device, "optimizer: gradients are on ", all.device, " and on ", g.device());
    all.device = g.device();
    all.views.push_back({g.count(), g.view()});
    all.owners.push_back(&p);
  }
  return all;
}

[[noreturn]] void fail_not_finite(const Parameter& p) {
  fail("optimizer: the gradient of \"", p.name, "\" ", p.tensor.shape(), " is not finite");
}
}  // namespace

void check_gradients(const std::vector<Parameter>& parameters) {
  const Gradients g = gradients_of(parameters, false);
  const int64_t count = int64_t(g.views.size());
  const int64_t bad = on_device(g.device, [&](auto on) { return first_not_finite(on, g.views.data(), count); });
  if (bad < count) fail_not_finite(*g.owners[size_t(bad)]);
}

namespace {
// So that what is written into one of them is written into that alone: the memory may be the gradient of another tensor too.
void own_gradients(const std::vector<Parameter>& parameters) {
  for (auto& p : parameters) {
    Tensor g = p.tensor.grad();
    if (!g) continue;
    p.tensor.clear_grad();
    if (!g.is_sole_owner()) g = g.clone();
    p.tensor.set_grad(g);
  }
}
}  // namespace

void judge_recorded(const std::vector<Parameter>& parameters, double max_norm) {
  if (max_norm > 0) own_gradients(parameters);
  const Gradients g = gradients_of(parameters);
  if constexpr (kCuda) {
    cuda::step_slots()->judged += int64_t(g.views.size());
    const int64_t bad = judge_gradients(current_stream(g.device), g.views.data(), int64_t(g.views.size()), max_norm);
    std::vector<Parameter> owners;
    for (const Parameter* p : g.owners) owners.push_back(*p);
    say_found(bad, [owners](int64_t first) {
      if (first < int64_t(owners.size())) fail_not_finite(owners[size_t(first)]);
    });
  }
}

void check_judged(const std::vector<Parameter>& parameters) {
  if constexpr (kCuda) {
    const int64_t count = int64_t(gradients_of(parameters).views.size()), judged = cuda::step_slots()->judged;
    if (judged == 0 && count > 0) return judge_recorded(parameters, 0);
    if (judged != count)
      throw cuda::NotRecordable("optimizer: " + std::to_string(judged) + " gradients were clipped in a step that updates by " +
                                std::to_string(count));
  }
}

double gradient_norm(const std::vector<Parameter>& parameters) {
  if (step_phase() == StepPhase::recorded) return judge_recorded(parameters, 0), 0;
  const Gradients g = gradients_of(parameters);
  const double sum = on_device(g.device, [&](auto on) { return sum_of_squares(on, g.views.data(), int64_t(g.views.size())); });
  if (!std::isfinite(sum)) check_gradients(parameters);
  else
    for (auto& p : parameters)
      if (const Tensor grad = p.tensor.grad()) grad.note_finite();  // so that the step needs no pass to see it
  return std::sqrt(sum);
}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: the largest norm is ", max_norm, ", a positive one is wanted");
  if (step_phase() == StepPhase::recorded) return judge_recorded(parameters, max_norm), 0;
  const double norm = gradient_norm(parameters);
  if (!(norm > max_norm)) return norm;
  own_gradients(parameters);
  const Gradients g = gradients_of(parameters);
  on_device(g.device, [&](auto on) { scale_by(on, g.views.data(), int64_t(g.views.size()), max_norm / norm); });
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

Device device_of(const char* who, const std::vector<ParameterGroup>& groups) {
  const auto all = all_parameters(groups);
  for (auto& p : all)
    check(p.tensor.device() == all[0].tensor.device(), who, ": \"", all[0].name, "\" is on ", all[0].tensor.device(), ", \"", p.name,
          "\" on ", p.tensor.device());
  return all[0].tensor.device();
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
