#include "optim/adamw.h"

namespace voxgrad {

OptimizerEntry adamw_optimizer() {
  return {.name = "adamw",
          .summary = "Adam with decoupled weight decay, which biases, scales and shifts are spared",
          .options = [] {
            return Options::of<AdamWOptions>([](ConfigTable& t, AdamWOptions& o) {
              t.number("learning_rate", o.learning_rate, 0, 1e3, "at the start");
              t.number("weight_decay", o.weight_decay, 0, 10, "times the weight and the learning rate, taken off it");
              t.number("beta1", o.beta1, 0, 0.99999, "decay of the mean of the gradients");
              t.number("beta2", o.beta2, 0, 0.9999999, "decay of the mean of their squares");
              t.number("eps", o.eps, 1e-16, 1, "added to the root of the mean square");
              t.flag("amsgrad", o.amsgrad, "divide by the largest mean square so far");
            });
          },
          .make = [](const std::vector<Parameter>& p, const Options& o) {
            return std::make_unique<AdamW>(without_decay_on_vectors(p), o.as<AdamWOptions>());
          }};
}

}  // namespace voxgrad
