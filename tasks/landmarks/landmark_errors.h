#pragma once
#include <string>
#include <vector>

namespace voxgrad {

// Distances in mm of landmarks over images; those that are not known are NaN and left out.
class LandmarkErrors {
 public:
  explicit LandmarkErrors(std::vector<std::string> names) : names_(std::move(names)) {}

  void add(std::vector<double> mm) { images_.push_back(std::move(mm)); }  // of one image, in the order of the names
  // "mean_error", "median_error", "within_2", "within_4" and "within_10", shares of distances up to so many mm, over all landmarks and
  // images; then the median of each name.
  std::vector<std::string> keys() const;
  // Image i counts counts[i] times.
  std::vector<double> scores(const std::vector<int>& counts) const;
  std::vector<double> scores() const { return scores(std::vector<int>(images_.size(), 1)); }
  static constexpr size_t kShared = 5;  // of the keys, those of all landmarks together
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::vector<double>>& images() const { return images_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<double>> images_;
};

}  // namespace voxgrad
