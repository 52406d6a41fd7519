#pragma once
#include "data/dataset.h"
#include "infer/model_file.h"
#include "train/config.h"

namespace voxgrad {

// A model as load_model gives it; of several folds or models the first.
Model first_model(const std::filesystem::path&, const LoadModelOptions&);
// That which train.init names.
Model initial_model(const TrainConfig&);
// What it takes to train on from that model: its network, with as many outputs as the task wants, its preprocessing and its way to predict;
// of the configuration count train.patch, data.spacing and train.dtype where they are set. Error where the data set has another number of
// channels, or the network cannot do what the task wants.
ModelDescription plan_from(const ModelDescription&, const Dataset&, const TrainConfig&, const std::vector<std::string>& outputs,
                           bool dense);

// The weights of one network as those of another: all, or where they have another number of outputs, those of the same shape. The names
// of what keeps its own values.
std::vector<std::string> start_from(Network& net, const Network& initial);

}  // namespace voxgrad
