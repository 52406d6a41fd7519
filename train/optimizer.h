#pragma once
#include <variant>

#include "io/checkpoint.h"
#include "optim/adamw.h"
#include "optim/sgd.h"
#include "train/config.h"

namespace voxgrad {

// The optimizer and learning-rate schedule that a configuration asks for.
class Optimizer {
 public:
  Optimizer(std::vector<Parameter>, const ScheduleConfig&);

  // Norm of the gradients before they were clipped to max_norm (0: not clipped). Gradients that are not finite are an error.
  double clip(double max_norm);
  // One update at `fraction` in [0, 1] of the schedule, the `step`th from 0; clears the gradients.
  void step(double fraction, int64_t step);
  double learning_rate() const;

  std::vector<Parameter> state() const;
  // From the tensors of a checkpoint whose names begin with `prefix`.
  void load(const Checkpoint&, const std::string& prefix);

 private:
  std::vector<Parameter> parameters_;
  ScheduleConfig config_;
  std::variant<Sgd, AdamW> optimizer_;
};

// into = decay into + (1 - decay) from; decay is less at the start (as in Tarvainen and Valpola 2017 and common implementations).
void move_average(const std::vector<Parameter>& into, const std::vector<Parameter>& from, double decay, int64_t step);

}  // namespace voxgrad
