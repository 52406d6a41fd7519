#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace voxgrad {

// What was said of one case, as JSON, and what the data set knows of it.
struct CaseResult {
  const DatasetCase* of = nullptr;
  std::string json;   // an object
  std::string where;  // file, for messages
};

struct CaseResultOptions {
  bool partial = false;  // cases without a result are left out instead of refused
  // Whether a case has what results are compared with; those that lack it are left out.
  std::function<bool(const DatasetCase&)> known = [](const DatasetCase&) { return true; };
};

// Results of values per image, in the order of the data set's cases and then its tests. predictions: the folder that `predict` wrote, with
// ID.json for each case or, where it has none of these, predictions.csv; or a table by itself. A row of a table is an object of its
// columns, a number where the field is one, but for the text of a column "class"; its column "case" (or id, name) has the ID.
// A result of a case that the data set does not know is an Error. So is a missing one, unless partial: a case of which there is no result
// though there are some of the part that it belongs to: training, validation (where the data set says so) or test.
std::vector<CaseResult> read_case_results(const std::filesystem::path& predictions, const Dataset&, const CaseResultOptions&);

}  // namespace voxgrad
