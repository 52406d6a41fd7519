#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry hd_metric() {
  return {.name = "hd",
          .summary =
              "Hausdorff distance in mm: the largest distance of a surface voxel of one to the other surface; not a number if the class "
              "is in neither, infinite if in one only",
          .key = "HD_mm",
          .larger_is_better = false,
          .decimals = 2,
          .value = [](const ObjectPair& o) { return hausdorff_distance(o.surface(), 1); }};
}

}  // namespace voxgrad
