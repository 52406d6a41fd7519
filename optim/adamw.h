#pragma once
#include "optim/optimizer.h"

namespace voxgrad {

struct AdamWOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2;
  bool amsgrad = false;
};

// Loshchilov and Hutter 2019, in PyTorch's form: p -= learning_rate weight_decay p; m = beta1 m + (1 - beta1) g;
// v = beta2 v + (1 - beta2) g^2; p -= learning_rate (m / (1 - beta1^t)) / (sqrt(u / (1 - beta2^t)) + eps), u = v or, with amsgrad, the
// largest v so far. One pass over memory. State: "PARAMETER.mean", "PARAMETER.square", "PARAMETER.largest" (amsgrad) and
// "PARAMETER.steps" (i32 {}).
class AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<Parameter>, const AdamWOptions& = {});
  explicit AdamW(std::vector<ParameterGroup>, const AdamWOptions& = {});
  std::vector<Parameter> state() const override;

 private:
  void update() override;

  struct Moments {
    Tensor mean, square, largest, steps;
  };
  AdamWOptions options_;
  std::vector<Moments> moments_;  // per parameter
};

}  // namespace voxgrad
