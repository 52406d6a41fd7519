#pragma once
#include <filesystem>
#include <string>

#include "train/config.h"

namespace voxgrad {

// Trains on the data set in `data` and writes into the folder `run`: config.json, split.json, metrics.jsonl, curves.png, last.safetensors
// (all that a resume needs) and best.safetensors. Every file is replaced as a whole, so that a kill at any moment leaves a run that resumes
// to bitwise the result of an uninterrupted one (except where train.minutes fits the schedule to a clock). The folder has one writer at a
// time (train/run_lock.h). What dataset.json says in vain is said on stderr.
struct TrainResult {
  int64_t steps = 0;
  std::string score;       // what validates, for people: "Dice"
  double best_score = 0;   // of the best checkpoint, on the cases that validate during training; NaN without validation
  double final_score = 0;  // of the last weights over the whole validation fold; NaN without one
};
TrainResult train(const std::filesystem::path& data, const std::filesystem::path& run, const TrainConfig&, Device = {});
// Goes on with the run: its configuration is the one it was started with.
TrainResult resume(const std::filesystem::path& data, const std::filesystem::path& run, Device = {});

}  // namespace voxgrad
