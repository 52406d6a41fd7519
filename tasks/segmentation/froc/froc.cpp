#include "tasks/segmentation/froc/froc.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <set>

#include "core/error.h"
#include "data/label_map.h"
#include "tasks/segmentation/metrics/components.h"

namespace voxgrad {

FrocCase froc_case(const Tensor& probability, const Tensor& reference, const FrocOptions& o) {
  check(probability && probability.dtype() == DType::f32 && reference && reference.dtype() == DType::u8 &&
            probability.shape() == reference.shape() && reference.shape().rank == 3,
        "froc: probabilities f32 {D, H, W} and a reference u8 of their shape are wanted, not ", probability, " and ", reference);
  check(o.threshold > 0 && o.threshold <= 1, "froc: the threshold ", o.threshold, " is not above 0 and at most 1");
  const auto p = probability.data<float>();
  const auto r = reference.data<uint8_t>();
  const Tensor candidate = Tensor::empty(reference.shape(), DType::u8), lesion = Tensor::empty(reference.shape(), DType::u8);
  uint8_t *c = candidate.view().as<uint8_t>(), *l = lesion.view().as<uint8_t>();
  for (size_t i = 0; i < p.size(); ++i) {
    c[i] = r[i] != kIgnored && double(p[i]) >= o.threshold;
    l[i] = r[i] == 1;
  }
  const Components candidates = connected_components(candidate, o.connectivity), lesions = connected_components(lesion, o.connectivity);
  std::vector<double> confidence(size_t(candidates.count()), 0);
  for (size_t i = 0; i < p.size(); ++i)
    if (const int32_t n = candidates.number[i]) confidence[size_t(n - 1)] = std::max(confidence[size_t(n - 1)], double(p[i]));
  FrocCase out;
  out.found.assign(size_t(lesions.count()), -1);
  std::vector<bool> finds(confidence.size(), false);
  for (const Overlap& both : overlaps(candidates, lesions)) {
    finds[size_t(both.a - 1)] = true;
    double& best = out.found[size_t(both.b - 1)];
    best = std::max(best, confidence[size_t(both.a - 1)]);
  }
  for (size_t i = 0; i < confidence.size(); ++i)
    if (!finds[i]) out.false_positives.push_back(confidence[i]);
  return out;
}

Froc froc_of(const std::vector<FrocCase>& cases) {
  Froc out;
  out.volumes = int64_t(cases.size());
  std::vector<double> wrong, right;
  for (const FrocCase& c : cases) {
    out.lesions += int64_t(c.found.size());
    wrong.insert(wrong.end(), c.false_positives.begin(), c.false_positives.end());
    for (double f : c.found)
      if (f >= 0) right.push_back(f);
  }
  std::set<double, std::greater<>> confidences(wrong.begin(), wrong.end());
  confidences.insert(right.begin(), right.end());
  std::sort(wrong.begin(), wrong.end(), std::greater<>());
  std::sort(right.begin(), right.end(), std::greater<>());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  size_t w = 0, r = 0;
  for (double c : confidences) {
    while (w < wrong.size() && wrong[w] >= c) ++w;
    while (r < right.size() && right[r] >= c) ++r;
    out.confidence.push_back(c);
    out.false_positives.push_back(double(w) / double(out.volumes));
    out.sensitivity.push_back(out.lesions ? double(r) / double(out.lesions) : nan);
  }
  for (size_t k = 0; k < kFrocRates.size(); ++k) {
    double x0 = 0, y0 = out.lesions ? 0 : nan, x1 = -1, y1 = 0;
    for (size_t i = 0; i < out.confidence.size(); ++i) {
      if (out.false_positives[i] > kFrocRates[k]) {
        x1 = out.false_positives[i], y1 = out.sensitivity[i];
        break;
      }
      x0 = out.false_positives[i], y0 = out.sensitivity[i];
    }
    out.at[k] = x1 < 0 ? y0 : y0 + (y1 - y0) * (kFrocRates[k] - x0) / (x1 - x0);
    out.mean += out.at[k] / double(kFrocRates.size());
  }
  return out;
}

std::string csv_of(const std::vector<std::string>& names, const std::vector<Froc>& curves) {
  std::string out = "class,confidence,false_positives_per_volume,sensitivity\n";
  for (size_t k = 0; k < curves.size(); ++k)
    for (size_t i = 0; i < curves[k].confidence.size(); ++i) {
      char line[128];
      const Froc& f = curves[k];
      std::snprintf(line, sizeof line, ",%.9g,%.9g,%.9g\n", f.confidence[i], f.false_positives[i], f.sensitivity[i]);
      out += names.at(k) + line;
    }
  return out;
}

}  // namespace voxgrad
