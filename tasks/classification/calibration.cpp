#include "tasks/classification/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace voxgrad {

CalibrationBins::CalibrationBins(const std::vector<ClassifiedCase>& cases, int k) {
  for (const ClassifiedCase& c : cases) {
    const auto largest = std::max_element(c.probabilities.begin(), c.probabilities.end());
    const double sure = k < 0 ? *largest : c.probabilities.at(size_t(k));
    const bool right = k < 0 ? largest - c.probabilities.begin() == c.truth : c.present.at(size_t(k)) == 1;
    items_.push_back({std::clamp(int(std::ceil(sure * kCalibrationBins)) - 1, 0, kCalibrationBins - 1), sure, right});
  }
}

std::array<CalibrationBins::Bin, kCalibrationBins> CalibrationBins::bins(const std::vector<int>& counts) const {
  std::array<Bin, kCalibrationBins> out{};
  for (size_t i = 0; i < items_.size(); ++i) {
    const double n = counts.empty() ? 1 : counts[i];
    Bin& b = out[size_t(items_[i].bin)];
    b.cases += n, b.sureness += n * items_[i].sureness, b.right += items_[i].right ? n : 0;
  }
  return out;
}

double expected_calibration_error(const std::array<CalibrationBins::Bin, kCalibrationBins>& bins) {
  double sum = 0, cases = 0;
  for (auto& b : bins) sum += std::abs(b.right - b.sureness), cases += b.cases;
  return cases > 0 ? sum / cases : NAN;
}

double maximum_calibration_error(const std::array<CalibrationBins::Bin, kCalibrationBins>& bins) {
  double largest = NAN;
  for (auto& b : bins)
    if (b.cases > 0) largest = std::fmax(largest, std::abs(b.right - b.sureness) / b.cases);
  return largest;
}

double brier_of(const ClassifiedCase& c) {
  const std::vector<double>& p = c.probabilities;
  if (c.present.empty() && p.size() == 2) return std::pow(p[1] - (c.truth == 1), 2);
  double sum = 0;
  for (size_t k = 0; k < p.size(); ++k) sum += std::pow(p[k] - (c.present.empty() ? int(k) == c.truth : c.present[k]), 2);
  return c.present.empty() ? sum : sum / double(p.size());
}

double nll_of(const ClassifiedCase& c) {
  const auto log_of = [](double p) {
    constexpr double kLeast = std::numeric_limits<double>::epsilon();
    return std::log(std::clamp(p, kLeast, 1 - kLeast));
  };
  if (c.present.empty()) return -log_of(c.probabilities.at(size_t(c.truth)));
  double sum = 0;
  for (size_t k = 0; k < c.present.size(); ++k) sum -= log_of(c.present[k] ? c.probabilities[k] : 1 - c.probabilities[k]);
  return sum / double(c.present.size());
}

}  // namespace voxgrad
