#pragma once
#include <memory>

#include "io/checkpoint.h"
#include "optim/optimizer.h"
#include "train/config.h"

namespace voxgrad {

// The options of the optimizer that a configuration names, as it sets them.
Options optimizer_options(const ScheduleConfig&);

// The optimizer and the learning rates that a configuration asks for.
class ScheduledOptimizer {
 public:
  ScheduledOptimizer(std::vector<Parameter>, const ScheduleConfig&);

  // Norm of the gradients before they were clipped to max_norm (0: not clipped). Gradients that are not finite are an error.
  double clip(double max_norm);
  // For the `step`th update from 0, at `fraction` in [0, 1] of the schedule, the learning rate train.learning_rate (1 -
  // fraction)^train.poly min(1, (step + 1) / train.warmup_steps).
  void schedule(double fraction, int64_t step);
  // One update; clears the gradients.
  void step() { optimizer_->step(); }
  double learning_rate() const { return optimizer_->learning_rate(); }
  void scale_learning_rates(const std::function<double(const std::string& name)>& f) { optimizer_->scale_learning_rates(f); }

  std::vector<Parameter> state() const { return optimizer_->state(); }
  // From the tensors of a checkpoint whose names begin with `prefix`.
  void load(const Checkpoint&, const std::string& prefix);

 private:
  std::vector<Parameter> parameters_;
  ScheduleConfig config_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace voxgrad
