#pragma once
#include <string>
#include <vector>

#include "cli/predict_cases.h"
#include "data/dataset.h"

namespace voxgrad {

// Every volume of 4-D files as a case of its own, c_0, c_1 ..
std::vector<DatasetCase> each_volume(const std::vector<DatasetCase>&);
// Those that validated the run of a model.
std::vector<DatasetCase> validating(const std::vector<DatasetCase>&, const PredictCommand&);
// Whether it is models that --previous-stage names, and no masks.
bool names_models(const std::vector<std::string>& paths);
// The masks of the first stage in a folder; a case without one has that as its fault.
void find_masks(std::vector<DatasetCase>&, const std::string& folder);

}  // namespace voxgrad
