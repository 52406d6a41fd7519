#include "tasks/detection/box_judge.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tasks/statistics/quantile.h"

namespace voxgrad {
namespace {

constexpr int kThresholds = 9;  // 0.1, 0.15, .. 0.5
constexpr size_t kMostPerImage = 100;
constexpr int kRecalls = 101;
double threshold_of(int i) { return 0.1 + 0.05 * i; }

double median_of(std::vector<double> v) {
  if (v.empty()) return NAN;
  std::sort(v.begin(), v.end());
  return quantile_of_sorted(v, 0.5);
}

double mean_of_known(const std::vector<double>& v) {
  double sum = 0, n = 0;
  for (double x : v)
    if (std::isfinite(x)) sum += x, ++n;
  return n > 0 ? sum / n : NAN;
}

double distance_mm(const ObjectBox& a, const ObjectBox& b, const Double3& spacing) {
  double square = 0;
  const Double3 x = a.centre(), y = b.centre();
  for (size_t k = 0; k < 3; ++k) square += (x[k] - y[k]) * (x[k] - y[k]) * spacing[k] * spacing[k];
  return std::sqrt(square);
}

std::vector<ObjectBox> of_class(const std::vector<ObjectBox>& boxes, int label, size_t most) {
  std::vector<ObjectBox> out;
  for (const ObjectBox& b : boxes)
    if (b.label == label) out.push_back(b);
  std::stable_sort(out.begin(), out.end(), [](const ObjectBox& a, const ObjectBox& b) { return a.score > b.score; });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace

BoxMatches match_boxes(const std::vector<ObjectBox>& found, const std::vector<ObjectBox>& real, double iou) {
  BoxMatches out{std::vector<int64_t>(real.size(), -1), std::vector<bool>(found.size())};
  for (size_t f = 0; f < found.size(); ++f) {
    int64_t best = -1;
    double overlap = iou;
    for (size_t r = 0; r < real.size(); ++r) {
      const double here = out.of_real[r] < 0 ? iou_of(found[f], real[r]) : -1;
      if (here >= overlap && (best < 0 || here > overlap)) overlap = here, best = int64_t(r);
    }
    if (best < 0) continue;
    out.of_real[size_t(best)] = int64_t(f);
    out.right[f] = true;
  }
  return out;
}

BoxJudge::BoxJudge(std::vector<JudgedBoxes> images, std::vector<std::string> classes)
    : images_(std::move(images)), classes_(std::move(classes)), errors_(images_.size()), counts_(images_.size()),
      of_froc_(images_.size()) {
  taken_.assign(kThresholds, std::vector<std::vector<Taken>>(classes_.size()));
  for (size_t i = 0; i < images_.size(); ++i)
    for (size_t k = 0; k < classes_.size(); ++k) {
      const std::vector<ObjectBox> found = of_class(images_[i].found, int(k), kMostPerImage);
      const std::vector<ObjectBox> real = of_class(images_[i].real, int(k), SIZE_MAX);
      for (int t = 0; t < kThresholds; ++t) {
        const BoxMatches m = match_boxes(found, real, threshold_of(t));
        for (size_t f = 0; f < found.size(); ++f) taken_[size_t(t)][k].push_back({found[f].score, i, m.right[f]});
        if (t == kThresholds - 1) {
          Counts& c = counts_[i];
          c.real += int64_t(real.size());
          for (int64_t f : m.of_real) c.found += f >= 0;
          for (size_t f = 0; f < found.size(); ++f) c.wrong += !m.right[f] && found[f].score >= 0.5;
        }
        if (t > 0) continue;
        for (size_t r = 0; r < real.size(); ++r) {
          const int64_t f = m.of_real[r];
          of_froc_[i].found.push_back(f < 0 ? -1 : found[size_t(f)].score);
          if (f >= 0) errors_[i].push_back(distance_mm(found[size_t(f)], real[r], images_[i].spacing));
        }
        for (size_t f = 0; f < found.size(); ++f)
          if (!m.right[f]) of_froc_[i].false_positives.push_back(found[f].score);
      }
    }
  for (auto& of_threshold : taken_)
    for (auto& list : of_threshold)
      std::stable_sort(list.begin(), list.end(), [](const Taken& a, const Taken& b) { return a.score > b.score; });
  froc_ = froc_of(of_froc_);
}

std::vector<std::string> BoxJudge::keys() const {
  std::vector<std::string> out = {"map", "ap_50", "ap_10", "froc_1", "froc", "centre_error", "found"};
  for (auto& c : classes_) out.push_back("ap_50_" + c);
  return out;
}

double BoxJudge::average_precision(size_t threshold, size_t label, const std::vector<int>& counts) const {
  double real = 0;
  for (size_t i = 0; i < images_.size(); ++i)
    for (const ObjectBox& b : images_[i].real) real += b.label == int(label) ? counts[i] : 0;
  if (!(real > 0)) return NAN;
  std::vector<double> recall, precision;
  double right = 0, all = 0;
  for (const Taken& t : taken_[threshold][label]) {
    right += t.right * counts[t.image];
    all += counts[t.image];
    if (all <= 0) continue;
    recall.push_back(right / real);
    precision.push_back(right / all);
  }
  for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (int k = 0; k < kRecalls; ++k) {
    const auto at = std::lower_bound(recall.begin(), recall.end(), k / double(kRecalls - 1));
    if (at != recall.end()) sum += precision[size_t(at - recall.begin())];
  }
  return sum / kRecalls;
}

std::vector<FrocCase> BoxJudge::froc_cases(const std::vector<int>& counts) const {
  std::vector<FrocCase> out;
  for (size_t i = 0; i < counts.size(); ++i) out.insert(out.end(), size_t(counts[i]), of_froc_[i]);
  return out;
}

std::vector<double> BoxJudge::scores(const std::vector<int>& counts) const {
  check(counts.size() == images_.size(), "BoxJudge: counts of ", counts.size(), " images, there are ", images_.size());
  std::vector<double> all, at_50, at_10, errors;
  for (int t = 0; t < kThresholds; ++t)
    for (size_t k = 0; k < classes_.size(); ++k) {
      all.push_back(average_precision(size_t(t), k, counts));
      if (t == 0) at_10.push_back(all.back());
      if (t == kThresholds - 1) at_50.push_back(all.back());
    }
  double real = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    real += counts[i] * double(of_froc_[i].found.size());
    for (int n = 0; n < counts[i]; ++n) errors.insert(errors.end(), errors_[i].begin(), errors_[i].end());
  }
  const Froc f = froc_of(froc_cases(counts));
  const auto one = std::find(kFrocRates.begin(), kFrocRates.end(), 1.0) - kFrocRates.begin();
  std::vector<double> out = {mean_of_known(all), mean_of_known(at_50), mean_of_known(at_10), f.at[size_t(one)], f.mean, median_of(errors),
                             real > 0 ? double(errors.size()) / real : NAN};
  out.insert(out.end(), at_50.begin(), at_50.end());
  return out;
}

double BoxJudge::centre_error(size_t image) const { return median_of(errors_.at(image)); }

}  // namespace voxgrad
