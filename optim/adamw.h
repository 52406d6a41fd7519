#pragma once
#include "optim/parameter_group.h"

namespace voxgrad {

struct AdamWOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2;
  bool amsgrad = false;
};

// Loshchilov and Hutter 2019, in PyTorch's form: p -= learning_rate weight_decay p; m = beta1 m + (1 - beta1) g;
// v = beta2 v + (1 - beta2) g^2; p -= learning_rate (m / (1 - beta1^t)) / (sqrt(u / (1 - beta2^t)) + eps), u = v or, with amsgrad, the
// largest v so far.
class AdamW {
 public:
  explicit AdamW(std::vector<Parameter>, const AdamWOptions& = {});
  explicit AdamW(std::vector<ParameterGroup>, const AdamWOptions& = {});

  // Updates each parameter that has a gradient, in one pass over memory, and clears the gradients.
  void step();
  void set_learning_rate(double v) { options_.learning_rate = v; }
  double learning_rate() const { return options_.learning_rate; }
  const std::vector<ParameterGroup>& groups() const { return groups_; }

  // All that a resume needs, sharing memory: "NAME.mean", "NAME.square", "NAME.largest" (amsgrad), "NAME.steps" (i32 {}).
  std::vector<Parameter> state() const;
  void load_state(const std::vector<Parameter>&);

 private:
  struct Moments {
    Tensor mean, square, largest, steps;
  };
  std::vector<ParameterGroup> groups_;
  AdamWOptions options_;
  std::vector<std::vector<Moments>> moments_;
};

}  // namespace voxgrad
