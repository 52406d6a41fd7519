#include <cmath>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry volume_error_metric() {
  return {.name = "volume_error",
          .summary = "|predicted volume - reference volume| in mm3; 0 if the class is in neither",
          .key = "VolumeError_mm3",
          .larger_is_better = false,
          .decimals = 1,
          .value = [](const ObjectPair& o) { return std::fabs(double(o.predicted() - o.real())) * o.voxel_mm3(); }};
}

}  // namespace voxgrad
