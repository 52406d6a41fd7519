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
// as usual. rules: infer/weights/weight_rules.h; without them those of the network (foreign_weights). Every tensor of the network must get
// its value; tensors that no rule names are an Error that lists them.
Model import_model(const std::filesystem::path& weights, const std::filesystem::path& rules);

// The rules alone, of such a file or of one that is a list of them.
struct ImportFile {
  std::vector<WeightRule> rules;  // none where there is a model without them
  bool has_model = false;
};
ImportFile read_rules(const std::filesystem::path&);

// Weights of other programs by the rules of the network of that JSON (ModelEntry::weight_rules): torchvision's, MONAI's and MedicalNet's
// names and layouts. Of a file with a "state_dict" that dict alone counts, and prefixes that all names share ("module." of DataParallel,
// "model.") are taken off first. Tensors that the network has not are among the result, for who loads it to judge; describe() says what was
// skipped and why. Error where the network has no rules.
WeightMap foreign_weights(const Weights&, const Json& network);
WeightMap foreign_weights(const Checkpoint&, const Json& network, const std::string& who);

// Numbers that a file of weights holds.
double held_by(const Weights&);

}  // namespace voxgrad
