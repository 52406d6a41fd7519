#pragma once
#include <string>
#include <vector>

namespace voxgrad {

struct Split {
  std::vector<std::string> training, validation;
};

// Fold `fold` of a k-fold split of the case ids: they are sorted, shuffled by a fixed Philox stream and dealt out in turn, so that the same
// cases give the same folds everywhere, in every run. With folds = 1 every case trains.
Split split_cases(std::vector<std::string> ids, int fold, int folds);

}  // namespace voxgrad
