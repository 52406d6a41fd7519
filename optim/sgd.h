#pragma once
#include "optim/parameter_group.h"

namespace voxgrad {

struct SgdOptions {
  double learning_rate = 0.01, momentum = 0.99, weight_decay = 3e-5;  // nnU-Net's
  bool nesterov = true;
};

// g += weight_decay p; v = momentum v + g; p -= learning_rate (nesterov ? g + momentum v : v). As PyTorch without dampening: v starts at 0.
class Sgd {
 public:
  explicit Sgd(std::vector<Parameter>, const SgdOptions& = {});
  explicit Sgd(std::vector<ParameterGroup>, const SgdOptions& = {});

  // Updates each parameter that has a gradient, in one pass over memory, and clears the gradients.
  void step();
  // Changed by a schedule between steps.
  void set_learning_rate(double v) { options_.learning_rate = v; }
  double learning_rate() const { return options_.learning_rate; }
  const std::vector<ParameterGroup>& groups() const { return groups_; }

  // All that a resume needs, sharing memory: "NAME.momentum". load_state throws Error on a missing, superfluous or misshapen tensor.
  std::vector<Parameter> state() const;
  void load_state(const std::vector<Parameter>&);

 private:
  std::vector<ParameterGroup> groups_;
  SgdOptions options_;
  std::vector<std::vector<Tensor>> momentum_;  // per group and parameter
};

}  // namespace voxgrad
