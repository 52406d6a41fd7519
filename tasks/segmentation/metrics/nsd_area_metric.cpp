#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

MetricEntry nsd_area_metric() {
  return {.name = "nsd_area",
          .summary =
              "normalised surface Dice at --tolerance of surface elements with their areas, as DeepMind's surface-distance (NSD has "
              "voxels as elements, as MONAI); not a number if the class is in neither, 0 if in one only",
          .key = "NSD_area",
          .value = [](const ObjectPair& o) { return surface_dice(o.elements(), o.facts().tolerance_mm); }};
}

}  // namespace voxgrad
