#pragma once
#include <map>
#include <string>
#include <vector>

#include "augment/augment.h"
#include "core/config/json.h"
#include "core/config/options.h"
#include "core/shape.h"
#include "data/data_config.h"

namespace voxgrad {

// Something chosen by name from a registry, with its options.
struct Choice {
  std::string name;
  std::string options = "{}";  // JSON; keys that are missing have their defaults
};

// Patch, batch, spacing and network by nnU-Net's rules.
struct PlanConfig {
  std::string configuration = "default";  // 2d, 3d_fullres, 3d_lowres or 3d_cascade_fullres; default: this program's own rules
  double memory_gb = 8;                   // of the GPU to plan for
  std::string file;                       // a plans.json to take the configuration from; empty: planned
};

struct ScheduleConfig {
  Int3 patch = {0, 0, 0};  // 0: planned from the median shape
  int batch = 2;                  // 0: of the planned configuration
  int accumulate = 1;             // batches of a step
  int64_t steps = 250000;         // nnU-Net: 1000 epochs of 250
  double epochs = 0;              // > 0: no more steps than so many passes over the training cases
  double minutes = 0;             // > 0: train for this much wall time instead of a number of steps
  std::string optimizer = "sgd";  // a name of optimizers()
  std::map<std::string, std::string> optimizer_options = {};  // of optimizers' own options those that were set: "adamw.beta1" -> JSON
  double learning_rate = 0.01, momentum = 0.99, weight_decay = 3e-5, clip = 12, poly = 0.9;
  int64_t warmup_steps = 0;
  double oversample_foreground = 0.33;
  std::string sampling = "random";  // of cases: random, epochs or balanced (train/sampling/case_order.h)
  double average_weights = 0;  // decay of an exponential moving average of the weights; 0: none
  double batch_statistics = 1;  // the part of the schedule in which norms of batches use the statistics of the batch
  int64_t validate_every = 1000, validate_cases = 8, checkpoint_every = 250;
  std::string dtype = "f32";  // of activations: f32 or bf16
  bool cuda_graph = true;     // on CUDA, a step is recorded and replayed
  std::string init, init_rules;  // a model that the weights start from, and the rules of one that needs them
};

// Weights of another network to start from, and what of the network is trained (train/transfer). Patterns: train/transfer/trained_parts.h.
struct TransferConfig {
  std::string from, rules;        // a model or a file of weights, and the rules that name them; empty: none
  std::vector<std::string> skip;  // patterns of what is not taken from there
  std::string inflate = "average";
  std::vector<std::string> freeze;    // "PATTERN" or "PATTERN@FRACTION": for that part of the schedule
  std::vector<std::string> lr_scale;  // "PATTERN=FACTOR"
};

struct PredictConfig {
  double overlap = 0.5;
  bool mirror = false;  // average over mirrored inputs
};

struct TrainConfig {
  uint64_t seed = 1;
  Choice task = {"segmentation"};
  DataConfig data;
  PlanConfig plan;
  Choice network = {"unet"};
  ScheduleConfig train;
  TransferConfig transfer;
  Augmentation augment;
  PredictConfig predict;
};

// Replaces what `document` names. Unknown keys are refused with the nearest known one, values of a wrong type or outside their range with
// what was wanted. `where`: the file or option it came from, for the message. "task" comes first whatever the order, since the rest starts
// from what the task starts from, then "network.kind".
void apply_json(TrainConfig&, const Json& document, const std::string& where);
// "train.batch=4": dotted keys and JSON values (a word needs no quotes).
void apply_assignments(TrainConfig&, const std::vector<std::string>&);
inline void apply_assignment(TrainConfig& c, const std::string& assignment) { apply_assignments(c, {assignment}); }
Json to_json(const TrainConfig&);

// Every key with its default and meaning, for --help and the README; and such lines of the options of one thing.
std::string describe_config();
std::string describe_keys(const std::vector<ConfigKey>&);

// The options that a configuration gives to its task and to its network.
Options task_options(const TrainConfig&);
Options network_options(const TrainConfig&);

}  // namespace voxgrad
