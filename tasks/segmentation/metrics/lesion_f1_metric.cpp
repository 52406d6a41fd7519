#include <limits>

#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry lesion_f1_metric() {
  return {.name = "lesion_f1",
          .summary =
              "2 TP / (2 TP + FP + FN) of lesions, the connected parts of an object (26 neighbours): a part of the reference is found "
              "(TP) if it shares a voxel with the prediction, else missed (FN); a part of the prediction that shares none with the "
              "reference is an FP; not a number if the class is in neither, 0 if in one only",
          .key = "LesionF1",
          .value = [](const ObjectPair& o) {
            const ObjectPair::Lesions& l = o.lesions();
            const int missed = l.real.count() - l.found, all = 2 * l.found + l.false_positives + missed;
            return all ? 2.0 * l.found / all : std::numeric_limits<double>::quiet_NaN();
          }};
}

}  // namespace voxgrad
