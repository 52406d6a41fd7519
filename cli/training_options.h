#pragma once
#include <string>
#include <vector>

#include "cli/commands.h"
#include "train/config.h"

namespace voxgrad {

// The options by which commands are told a data set and a configuration.
struct TrainingOptions {
  std::string data, config, init, from, rules, configuration, plans, cache, series, previous;
  double memory_gb = 0;
  std::vector<std::string> assignments, skip, freeze, lr_scale;
  bool resample = false;

  // Whether any but the data set is given.
  bool any() const;
};
void add_training_options(CLI::App& command, TrainingOptions&);
// What cannot be used is wrong usage, not a failure.
TrainConfig config_of(const TrainingOptions&);

}  // namespace voxgrad
