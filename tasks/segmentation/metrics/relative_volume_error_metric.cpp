#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry relative_volume_error_metric() {
  return {.name = "relative_volume_error",
          .summary =
              "|predicted volume - reference volume| / reference volume; not a number if the class is in neither, infinite if it is "
              "predicted only",
          .key = "RelativeVolumeError",
          .larger_is_better = false,
          .value = [](const ObjectPair& o) {
            const double difference = double(o.predicted() > o.real() ? o.predicted() - o.real() : o.real() - o.predicted());
            if (o.real() > 0) return difference / double(o.real());
            return o.predicted() ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
          }};
}

}  // namespace voxgrad
