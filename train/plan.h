#pragma once
#include "data/fingerprint.h"
#include "train/config.h"
#include "train/planning/experiment_plan.h"

namespace voxgrad {

// All that is needed to train on the data set and to use what is trained: target spacing, normalisation, and a network that the model
// registry plans for them (patch, strides, kernels, channels), from the fingerprint and what the configuration fixes. outputs: names of the
// network's output channels, from the task; dense: it gives values per voxel.
ModelDescription plan(const Dataset&, const Fingerprint&, const TrainConfig&, const std::vector<std::string>& outputs, bool dense = true);

// The configuration with what the data set says of the task, such as its regions and, for a second stage, its labels.
TrainConfig adapted(TrainConfig, const Dataset&);
// What the network sees of masks of a first stage; none where data.previous_stage is empty.
std::vector<int> previous_labels_of(const TrainConfig&);

// How each channel is normalised, by its name or as the configuration says.
std::vector<Normalization> normalizations(const std::vector<std::string>& channels, const Fingerprint&, const DataConfig&);

// What to ask nnU-Net's rules for.
ExperimentRequest experiment_of(const Dataset&, const TrainConfig&, int outputs);

// As plan, of config.plan.configuration, by its file or by the fingerprint of all cases; batch: what is planned.
struct PlannedConfiguration {
  ModelDescription model;
  int batch = 0;
  TrainConfig config;  // with what the plan says of the task: whether Dice is that of the batch
};
PlannedConfiguration plan_configuration(const Dataset&, const Fingerprint& print, const TrainConfig&,
                                        const std::vector<std::string>& outputs);

}  // namespace voxgrad
