#include <limits>

#include "core/device/parallel.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

double value(const ObjectPair& o) {
  const ObjectPair::Facts& f = o.facts();
  const float* p = f.probability.view().as<float>();
  const uint8_t *r = f.reference.view().as<uint8_t>(), *ignored = f.ignored ? f.ignored.view().as<uint8_t>() : nullptr;
  double sum = 0;
  int64_t n = 0;
  for (int64_t i = 0; i < f.reference.count(); ++i) {
    if (ignored && ignored[i]) continue;
    const double e = double(p[i]) - (r[i] == f.label);
    sum += e * e, ++n;
  }
  return n ? sum / double(n) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

MetricEntry brier_metric() {
  return {.name = "brier",
          .summary =
              "Brier score of the class against all others: mean over all voxels of (p - y)^2, p its probability, y 1 where the "
              "reference has it, else 0 (--probabilities)",
          .key = "Brier",
          .larger_is_better = false,
          .probabilities = true,
          .value = value};
}

}  // namespace voxgrad
