#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry lesion_fp_metric() {
  return {.name = "lesion_fp",
          .summary = "lesions of the prediction (see lesion_f1) that share no voxel with the reference; 0 if nothing is predicted",
          .key = "LesionFP",
          .larger_is_better = false,
          .decimals = 2,
          .value = [](const ObjectPair& o) { return double(o.lesions().false_positives); }};
}

}  // namespace voxgrad
