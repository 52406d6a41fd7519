#include "optim/sgd.h"

namespace voxgrad {

OptimizerEntry sgd_optimizer() {
  return {.name = "sgd",
          .summary = "stochastic gradient descent with momentum, nnU-Net's; weight decay is L2",
          .options = [] {
            return Options::of<SgdOptions>([](ConfigTable& t, SgdOptions& o) {
              t.number("learning_rate", o.learning_rate, 0, 1e3, "at the start");
              t.number("momentum", o.momentum, 0, 0.9999, "part of the last update that is kept");
              t.number("weight_decay", o.weight_decay, 0, 10, "times the weight, added to its gradient");
              t.flag("nesterov", o.nesterov, "Nesterov's form of the momentum");
            });
          },
          .make = [](const std::vector<Parameter>& p, const Options& o) { return std::make_unique<Sgd>(p, o.as<SgdOptions>()); }};
}

}  // namespace voxgrad
