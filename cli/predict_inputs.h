#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cli/predict_cases.h"
#include "data/dataset.h"
#include "tasks/task.h"

namespace voxgrad {

// Every volume of 4-D files as a case of its own, c_0, c_1 ..
std::vector<DatasetCase> each_volume(const std::vector<DatasetCase>&);
// Those that validated the run of a model.
std::vector<DatasetCase> validating(const std::vector<DatasetCase>&, const PredictCommand&);
// Whether it is models that --previous-stage names, and no masks.
bool names_models(const std::vector<std::string>& paths);
// The masks of the first stage in a folder; a case without one has that as its fault.
void find_masks(std::vector<DatasetCase>&, const std::string& folder);

// Where the probabilities of a case go.
std::filesystem::path probabilities_of(const DatasetCase&, const PredictCommand&);
// Refuses to write over what is read.
void check_apart(const std::vector<DatasetCase>&, const Task&, const PredictCommand&);
// Takes out the cases of which all results are there, which are complete as files appear so. Their names, and their JSON where it is a
// file's.
std::vector<std::pair<std::string, std::string>> take_done(std::vector<DatasetCase>&, const Task&, const PredictCommand&);

}  // namespace voxgrad
