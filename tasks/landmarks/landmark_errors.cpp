#include "tasks/landmarks/landmark_errors.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tasks/statistics/quantile.h"

namespace voxgrad {
namespace {

constexpr double kRadii[] = {2, 4, 10};  // mm

double middle_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? NAN : quantile_of_sorted(v, 0.5);
}

}  // namespace

std::vector<std::string> LandmarkErrors::keys() const {
  std::vector<std::string> out = {"mean_error", "median_error", "within_2", "within_4", "within_10"};
  for (auto& n : names_) out.push_back("median_error_" + n);
  return out;
}

std::vector<double> LandmarkErrors::scores(const std::vector<int>& counts) const {
  check(counts.size() == images_.size(), "LandmarkErrors: counts of ", counts.size(), " images, there are ", images_.size());
  std::vector<double> all;
  std::vector<std::vector<double>> of_name(names_.size());
  for (size_t i = 0; i < images_.size(); ++i)
    for (int n = 0; n < counts[i]; ++n)
      for (size_t k = 0; k < names_.size(); ++k)
        if (const double mm = images_[i].at(k); std::isfinite(mm)) all.push_back(mm), of_name[k].push_back(mm);
  double sum = 0;
  for (double mm : all) sum += mm;
  std::vector<double> out = {all.empty() ? NAN : sum / double(all.size()), middle_of(all)};
  for (double radius : kRadii) {
    const auto near = std::count_if(all.begin(), all.end(), [&](double mm) { return mm <= radius; });
    out.push_back(all.empty() ? NAN : double(near) / double(all.size()));
  }
  for (auto& v : of_name) out.push_back(middle_of(v));
  return out;
}

}  // namespace voxgrad
