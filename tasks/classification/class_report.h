#pragma once
#include "tasks/classification/class_judge.h"
#include "tasks/statistics/bootstrap.h"
#include "tasks/task.h"

namespace voxgrad {

// Judged cases for people, as JSON and as CSV. JSON: {"cases", "classes", "multi_label", "threshold", each key of
// describe_class_scores(), "f1": {class: value}, "per_class": {class: {key: value, "cases", "youden"}}, "confusion": rows of truths,
// "intervals": {key: {"low", "high", "undefined"}, "per_class": the same of classes}, "versus"}.
struct ClassReport {
  std::vector<std::string> ids, names;  // of the cases and of the classes
  const ClassJudge& judge;
  const ClassJudge* versus = nullptr;  // other results for the same cases
  BootstrapOptions bootstrap = {};     // resamples 0: no intervals, but of comparisons 10000
};
Task::Evaluated report_of(const ClassReport&);

// PREFIX_roc.png, PREFIX_pr.png, PREFIX_calibration.png and PREFIX_confusion.png.
void write_class_pictures(const std::string& prefix, const ClassJudge&, const std::vector<std::string>& names);

}  // namespace voxgrad
