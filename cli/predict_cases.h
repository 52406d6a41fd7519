#pragma once
#include <optional>
#include <string>
#include <vector>

namespace voxgrad {

// What `voxgrad predict` was asked for.
struct PredictCommand {
  std::vector<std::string> models, folds, previous;  // previous: a folder of masks of the first stage, or its models
  std::string rules, in, out, reference, device = "auto", conv = "own", ending = ".nii.gz", patch, volumes = "channels", series;
  std::string postprocessing;
  std::optional<double> overlap;
  int batch = 1, shift = 0;
  std::optional<bool> mirror;
  bool picture = false, resample = false, times = false, skip_empty = false, probabilities = false, validation = false, resume = false;
};
void predict_cases(const PredictCommand&);

}  // namespace voxgrad
