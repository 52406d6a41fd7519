#include "data/split.h"

#include <algorithm>

#include "core/error.h"
#include "core/lists/shuffle.h"

namespace voxgrad {

Split split_cases(std::vector<std::string> ids, int fold, int folds) {
  check(folds >= 1 && fold >= 0 && fold < folds, "split: fold ", fold, " of ", folds, " does not exist");
  std::sort(ids.begin(), ids.end());
  check(folds == 1 || int(ids.size()) >= folds, "split: ", ids.size(), " cases cannot be dealt into ", folds, " folds; set data.folds");
  Split out;
  if (folds == 1) {
    out.training = std::move(ids);
    return out;
  }
  Rng rng(12345);
  shuffle(ids, rng);
  for (size_t i = 0; i < ids.size(); ++i) (int(i % size_t(folds)) == fold ? out.validation : out.training).push_back(ids[i]);
  std::sort(out.training.begin(), out.training.end());
  std::sort(out.validation.begin(), out.validation.end());
  return out;
}

}  // namespace voxgrad
