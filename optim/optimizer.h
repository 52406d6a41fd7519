#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/config/options.h"
#include "core/config/registry.h"
#include "optim/parameter_group.h"

namespace voxgrad {

// What changes parameters by their gradients. Another one derives from this, and has `update` and `state`; for `train.optimizer` to know
// it by name, it is an OptimizerEntry too.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Updates each parameter that has a gradient and clears the gradients. A gradient that is not finite is an Error that names its
  // parameter, and nothing has changed. Of a step that is recorded (core/device/recorded_step.h) the device leaves it out; for a replay
  // what changes from step to step, the `update` of each tensor, is renewed.
  void step();
  // Changed by a schedule between steps.
  void set_learning_rate(double v) { learning_rate_ = v; }
  double learning_rate() const { return learning_rate_; }
  // What the learning rate of each parameter is multiplied with, by its name, beside the scale of its group.
  void scale_learning_rates(const std::function<double(const std::string& name)>&);
  const std::vector<ParameterGroup>& groups() const { return groups_; }

  // All that a resume needs, sharing memory, named "PARAMETER.WHAT".
  virtual std::vector<Parameter> state() const = 0;
  // Copies values of such a list; a missing, superfluous or misshapen tensor is an Error.
  void load_state(const std::vector<Parameter>&);

 protected:
  // who: for messages. Parameters must be f32 or f64, require gradients, and have names of their own.
  Optimizer(const char* who, std::vector<ParameterGroup>, double learning_rate);

  // A parameter that has a gradient, which is absent for a replay; index: its place among the parameters of all groups, in order.
  struct Due {
    Tensor parameter, gradient;
    double learning_rate, weight_decay;
    size_t index;
  };
  // `weight_decay`: of groups without one of their own.
  std::vector<Due> due(double weight_decay) const;
  // One update of those that are due; gradients are finite.
  virtual void update() = 0;

  std::vector<Parameter> all() const { return all_parameters(groups_); }
  Device device() const;
  // A tensor of zeros for each parameter, or absent ones.
  std::vector<Tensor> zeros(bool wanted = true) const;
  // "PARAMETER.WHAT" for each tensor of `values` that is present.
  void append_state(std::vector<Parameter>& to, const char* what, const std::vector<Tensor>& values) const;

 private:
  const char* who_;
  std::vector<ParameterGroup> groups_;
  std::vector<double> scales_;  // of each parameter
  std::vector<bool> is_due_;    // each parameter, in the latest step
  double learning_rate_;
};

// An optimizer that is chosen by name. The file optim/../NAME_optimizer.cpp defines `OptimizerEntry NAME_optimizer()`; CMake lists it.
struct OptimizerEntry {
  std::string name, summary;
  // Its options with their defaults. Where they have the keys learning_rate, momentum or weight_decay, a training run sets those from
  // train.learning_rate, train.momentum and train.weight_decay; the others are its own, train.NAME.KEY.
  std::function<Options()> options;
  std::function<std::unique_ptr<Optimizer>(const std::vector<Parameter>&, const Options&)> make;
};
Registry<OptimizerEntry>& optimizers();

}  // namespace voxgrad
