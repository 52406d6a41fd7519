#pragma once
#include <functional>

#include "train/case_store.h"
#include "train/metrics.h"
#include "train/predict.h"

namespace voxgrad {

// Dice of each foreground class, averaged over the cases that have it, and the mean of these. NaN without cases.
struct ValidationScores {
  std::vector<double> dice_by_class;  // of classes 1, 2, ...
  double dice = 0;
};

// Dice per class and case, in the order of the ids: NaN where a class is in neither. At the model's spacing, on preprocessed cases.
std::vector<std::vector<double>> dice_by_case(const UNet&, CaseStore&, const std::vector<std::string>& ids, Device,
                                              const std::function<void(int64_t done)>& progress);
ValidationScores mean_of(const std::vector<std::vector<double>>& dice_by_case, int classes);

}  // namespace voxgrad
