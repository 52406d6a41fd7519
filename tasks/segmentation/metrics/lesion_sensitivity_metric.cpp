#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry lesion_sensitivity_metric() {
  return {.name = "lesion_sensitivity",
          .summary = "share of the reference's lesions (see lesion_f1) that are found; not a number if there are none",
          .key = "LesionSensitivity",
          .value = [](const ObjectPair& o) {
            const ObjectPair::Lesions& l = o.lesions();
            return l.real.count() ? double(l.found) / l.real.count() : std::numeric_limits<double>::quiet_NaN();
          }};
}

}  // namespace voxgrad
