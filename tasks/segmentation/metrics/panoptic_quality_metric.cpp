#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

double value(const ObjectPair& o) {
  const ObjectPair::Lesions& l = o.lesions();
  double sum = 0;
  int matched = 0;
  for (const Overlap& s : l.shared) {
    const double iou = double(s.voxels) / double(l.predicted.voxels[size_t(s.a - 1)] + l.real.voxels[size_t(s.b - 1)] - s.voxels);
    if (iou > 0.5) sum += iou, ++matched;  // of two that overlap so each has no other such partner
  }
  const double all = 0.5 * (l.predicted.count() + l.real.count());
  return all > 0 ? sum / all : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

MetricEntry panoptic_quality_metric() {
  return {.name = "panoptic_quality",
          .summary =
              "sum of the IoU of matched lesions (see lesion_f1; matched: IoU above 0.5) / (TP + FP / 2 + FN / 2) (Kirillov et al. "
              "2019); not a number if the class is in neither, 0 if in one only",
          .key = "PQ",
          .value = value};
}

}  // namespace voxgrad
