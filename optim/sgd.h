#pragma once
#include "optim/optimizer.h"

namespace voxgrad {

struct SgdOptions {
  double learning_rate = 0.01, momentum = 0.99, weight_decay = 3e-5;  // nnU-Net's
  bool nesterov = true;
};

// g += weight_decay p; v = momentum v + g; p -= learning_rate (nesterov ? g + momentum v : v). As PyTorch without dampening: v starts at 0.
// One pass over memory. State: "PARAMETER.momentum".
class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<Parameter>, const SgdOptions& = {});
  explicit Sgd(std::vector<ParameterGroup>, const SgdOptions& = {});
  std::vector<Parameter> state() const override;

 private:
  void update() override;

  SgdOptions options_;
  std::vector<Tensor> momentum_;  // per parameter
};

}  // namespace voxgrad
