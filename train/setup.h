#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/split.h"
#include "infer/model_file.h"
#include "tasks/task.h"
#include "train/config.h"
#include "train/transfer/transfer.h"

namespace voxgrad {

// The data set with what the configuration says of its cases.
Dataset training_dataset(const std::filesystem::path& folder, const DataConfig&);

// What follows from a data set and a configuration before anything is learned.
struct TrainingSetup {
  Dataset dataset;
  TrainConfig config;  // with what the data set and the plan say
  std::shared_ptr<const Task> task;
  std::vector<std::string> outputs;
  Split split;
  Model initial;  // its network is absent where weights are drawn
  std::optional<TransferSource> transfer;
  ModelDescription description;
};
// Reads every training case for the plan, unless a model brings one. last: the checkpoint of a run that goes on, which has its weights; a
// path where nothing is, for a new one.
TrainingSetup set_up(const std::filesystem::path& data, const TrainConfig&, const std::filesystem::path& last = {});

// Where the cases of a configuration are kept.
StoreOptions store_options(const DataConfig&);
// All of them, made ahead of the training in parallel, or what of them fits into memory; in any case those that validate are read. The
// result is for people, empty where there is nothing to say.
std::string prepare_cases(CaseStore&, const Split&);

}  // namespace voxgrad
