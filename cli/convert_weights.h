#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace voxgrad {

struct WeightConversion {
  std::filesystem::path in, out, rules;
  std::string names;  // "nnunet", or empty
  std::vector<std::string> folds;
};
// Weights or a model as a safetensors file: by rules that say of which model they are, or a model folder, a checkpoint of this program; by
// other rules renamed; with names, as that program names them; else as they are.
void convert_weights(const WeightConversion&);

}  // namespace voxgrad
