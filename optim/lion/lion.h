#pragma once
#include "optim/optimizer.h"

namespace voxgrad {

struct LionOptions {
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0;
};

// p -= learning_rate (sign(beta1 m + (1 - beta1) g) + weight_decay p); m = beta2 m + (1 - beta2) g; sign(0) = 0, m starts at 0. Chen et
// al. 2023, "Symbolic discovery of optimization algorithms", who advise a third to a tenth of AdamW's learning rate. State:
// "PARAMETER.mean".
class Lion : public Optimizer {
 public:
  explicit Lion(std::vector<Parameter>, const LionOptions& = {});
  explicit Lion(std::vector<ParameterGroup>, const LionOptions& = {});
  std::vector<Parameter> state() const override;

 private:
  void update() override;

  LionOptions options_;
  std::vector<Tensor> mean_;  // per parameter
};

}  // namespace voxgrad
