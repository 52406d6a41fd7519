#pragma once
#include <filesystem>
#include <string>

#include "core/config/json.h"
#include "tasks/segmentation/metrics.h"

namespace voxgrad {

// The curves of an evaluation with EvaluateOptions::froc, one for each class or region: PREFIX.csv with their points, PREFIX.png with their
// picture over log2 of the false positives per volume; a table for people; and JSON {class: {lesions, volumes, CPM, sensitivity:
// {"0.125": ..}}}.
struct FrocReport {
  std::string table;
  std::string json;
};
FrocReport write_froc(const Evaluation&, const std::filesystem::path& prefix);

}  // namespace voxgrad
