#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

constexpr int kBins = 10;

double value(const ObjectPair& o) {
  const ObjectPair::Facts& f = o.facts();
  const float* p = f.probability.view().as<float>();
  const uint8_t *r = f.reference.view().as<uint8_t>(), *ignored = f.ignored ? f.ignored.view().as<uint8_t>() : nullptr;
  struct Bin {
    int64_t voxels = 0, positive = 0;
    double probability = 0;
  };
  std::array<Bin, kBins> bins{};
  int64_t n = 0;
  for (int64_t i = 0; i < f.reference.count(); ++i) {
    if (ignored && ignored[i]) continue;
    Bin& b = bins[size_t(std::clamp(int(std::ceil(double(p[i]) * kBins)) - 1, 0, kBins - 1))];
    ++b.voxels, ++n;
    b.positive += r[i] == f.label;
    b.probability += p[i];
  }
  double sum = 0;
  for (const Bin& b : bins) sum += std::fabs(double(b.positive) - b.probability);
  return n ? sum / double(n) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

MetricEntry ece_metric() {
  return {.name = "ece",
          .summary =
              "expected calibration error of the class against all others: voxels in ten bins of its probability, (0, 0.1], (0.1, "
              "0.2], ..; sum over the bins of share of the voxels x |share that the reference has - mean probability| "
              "(--probabilities)",
          .key = "ECE",
          .larger_is_better = false,
          .probabilities = true,
          .value = value};
}

}  // namespace voxgrad
