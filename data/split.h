#pragma once
#include <string>
#include <vector>

namespace voxgrad {

struct DatasetCase;

struct Split {
  std::vector<std::string> training, validation;
};

// Fold `fold` of a k-fold split of the case ids: they are sorted, shuffled by a fixed Philox stream and dealt out in turn, so that the same
// cases give the same folds everywhere, in every run. With folds = 1 every case trains.
Split split_cases(std::vector<std::string> ids, int fold, int folds);
// The same of cases, of which those of one patient are dealt out together, each to the fold that has the fewest cases by then.
Split split_cases(const std::vector<DatasetCase>&, int fold, int folds);
// Whose image it is, by what the data set says under patient, patient_id, patientid, subject or subject_id in any case; empty: it does not
// say.
std::string patient_of(const DatasetCase&);

}  // namespace voxgrad
