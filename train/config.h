#pragma once
#include <map>
#include <string>
#include <vector>

#include "augment/augment.h"
#include "core/shape.h"
#include "io/json_file.h"

namespace voxgrad {

// Which cases train, and what is done to a volume before the network sees it.
struct DataConfig {
  int fold = 0;                        // the fold that validates
  int folds = 5;                       // 1: every case trains and nothing validates
  std::vector<double> spacing;         // target spacing {d, h, w} in mm; empty: the median over the training cases
  std::string normalization = "auto";  // auto, zscore, ct or none
  std::string nan = "refuse";          // refuse, or zero: what to do with voxels that are not finite
  double cache_gb = 8;                 // preprocessed cases kept in memory
};

struct NetworkConfig {
  std::string kind = "unet";  // unet or resenc_unet
  int base_features = 32, max_features = 320;
  int stages = 0;  // 0: as many as the patch allows, 6 at most
  bool deep_supervision = true;
};

struct ScheduleConfig {
  Int3 patch = {0, 0, 0};  // 0: planned from the median shape
  int batch = 2;
  int64_t steps = 250000;         // nnU-Net: 1000 epochs of 250
  double minutes = 0;             // > 0: train for this much wall time instead of a number of steps
  std::string optimizer = "sgd";  // a name of optimizers()
  std::map<std::string, std::string> optimizer_options = {};  // of optimizers' own options those that were set: "adamw.beta1" -> JSON
  double learning_rate = 0.01, momentum = 0.99, weight_decay = 3e-5, clip = 12, poly = 0.9;
  int64_t warmup_steps = 0;
  double oversample_foreground = 0.33;
  double average_weights = 0;  // decay of an exponential moving average of the weights; 0: none
  int64_t validate_every = 1000, validate_cases = 8, checkpoint_every = 250;
  std::string dtype = "f32";  // of activations: f32 or bf16
};

struct PredictConfig {
  double overlap = 0.5;
  bool mirror = false;  // average over mirrored inputs
};

struct TrainConfig {
  uint64_t seed = 1;
  DataConfig data;
  NetworkConfig network;
  ScheduleConfig train;
  Augmentation augment;
  PredictConfig predict;
};

// Replaces what `document` names. Unknown keys are refused with the nearest known one, values of a wrong type or outside their range with
// what was wanted. `where`: the file or option it came from, for the message.
void apply_json(TrainConfig&, const Json& document, const std::string& where);
// "train.batch=4": a dotted key and a JSON value (a word needs no quotes).
void apply_assignment(TrainConfig&, const std::string& assignment);
Json to_json(const TrainConfig&);

// Every key with its default and meaning, for --help and the README.
std::string describe_config();

}  // namespace voxgrad
