#pragma once
#include <optional>
#include <vector>

#include "core/fields.h"

namespace voxgrad {

// Parameters that share a learning rate and a weight decay.
struct ParameterGroup {
  std::vector<Parameter> parameters;
  double learning_rate_scale = 1;             // times the optimizer's learning rate
  std::optional<double> weight_decay = {};    // absent: the optimizer's
};

// Two groups: parameters of rank 1 (biases, scales and shifts of norms) without weight decay, and the others.
std::vector<ParameterGroup> without_decay_on_vectors(const std::vector<Parameter>&);

// The parameters of all groups.
std::vector<Parameter> all_parameters(const std::vector<ParameterGroup>&);

// sqrt(sum of g^2) over the gradients of all parameters, summed in f64 in a fixed order. Throws Error that names the parameter if a
// gradient is not finite. An optimizer's step does not look through gradients again that were seen here and not written since (by Tensor's
// own functions, or announced by mark_written()). In a step that is recorded (core/device/recorded_step.h) both are known when it is done,
// and 0 comes back, from clip_grad_norm too; the norm is asked for once.
double gradient_norm(const std::vector<Parameter>&);

// Scales all gradients by max_norm / norm where norm = gradient_norm(parameters) is above max_norm. Returns the norm before.
double clip_grad_norm(const std::vector<Parameter>&, double max_norm);

// Throws Error that names the first parameter with a gradient that is not finite.
void check_gradients(const std::vector<Parameter>&);

void clear_gradients(const std::vector<Parameter>&);

}  // namespace voxgrad
