#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

double value(const ObjectPair& o) {
  const SurfaceDistances& s = o.surface();
  if (s.to_reference.empty() && s.to_prediction.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (s.to_reference.empty() || s.to_prediction.empty()) return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (float d : s.to_reference) sum += d;
  for (float d : s.to_prediction) sum += d;
  return sum / double(s.to_reference.size() + s.to_prediction.size());
}

}  // namespace

MetricEntry assd_metric() {
  return {.name = "assd",
          .summary =
              "average symmetric surface distance in mm: mean over the surface voxels of both, each to the nearest of the other (as "
              "MONAI, symmetric); not a number if the class is in neither, infinite if in one only",
          .key = "ASSD_mm",
          .larger_is_better = false,
          .decimals = 2,
          .value = value};
}

}  // namespace voxgrad
