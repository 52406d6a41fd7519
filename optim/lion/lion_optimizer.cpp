#include "optim/lion/lion.h"

namespace voxgrad {

OptimizerEntry lion_optimizer() {
  return {.name = "lion",
          .summary = "steps of one size along the sign of the averaged gradient, with half of AdamW's memory",
          .options = [] {
            return Options::of<LionOptions>([](ConfigTable& t, LionOptions& o) {
              t.number("learning_rate", o.learning_rate, 0, 1e3, "at the start");
              t.number("weight_decay", o.weight_decay, 0, 10, "times the weight and the learning rate, taken off it");
              t.number("beta1", o.beta1, 0, 0.99999, "weight of the mean beside the gradient, in the direction of a step");
              t.number("beta2", o.beta2, 0, 0.99999, "decay of the mean of the gradients");
            });
          },
          .make = [](const std::vector<Parameter>& p, const Options& o) {
            return std::make_unique<Lion>(without_decay_on_vectors(p), o.as<LionOptions>());
          }};
}

}  // namespace voxgrad
