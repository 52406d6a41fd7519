#pragma once
#include <filesystem>

#include "infer/model_file.h"
#include "infer/weights/weight_rules.h"

namespace voxgrad {

// Weights of another program as a model, by a JSON file that says what they are:
//   {"model": {"network": {"kind": "meshnet", ..}, "patch": [64, 64, 64], "spacing_mm": [1, 1, 1], "channels": ["T1"], "labels": [..],
//              "normalization": [{"kind": "zscore"}], ..},
//    "rules": [{"from": "model.*.weight", "to": "blocks.$1.conv.weight", "layout": "channels_last"}, ..]}
// model: as the metadata "voxgrad.model" of a checkpoint (data/description.h); what is missing of format, nan, overlap, mirror and dtype is
// as usual. rules: infer/weights/weight_rules.h. Every tensor of the network must get its value; tensors that no rule names are an Error
// that lists them.
Model import_model(const std::filesystem::path& weights, const std::filesystem::path& rules);

// The rules alone, of such a file or of one that is a list of them.
struct ImportFile {
  std::vector<WeightRule> rules;
  bool has_model = false;
};
ImportFile read_rules(const std::filesystem::path&);

// Numbers that a file of weights holds.
double held_by(const Weights&);

}  // namespace voxgrad
