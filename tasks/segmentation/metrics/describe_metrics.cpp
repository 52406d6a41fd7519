#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {

std::string describe_metrics() {
  std::string out =
      "--froc: a candidate is a connected part of where the probability is at least --froc-threshold, its confidence the largest one\n"
      "in it; a lesion is a connected part of the reference (--connectivity). A candidate that shares a voxel with a lesion finds it, one\n"
      "that shares none with any is a false positive, others that find the same lesion are neither. Sensitivity is found / all lesions\n"
      "of all volumes over false positives per volume, linear between the points for each confidence; its mean at 1/8, 1/4, 1/2, 1, 2,\n"
      "4, 8 false positives is LUNA16's competition performance metric (CPM); not a number without lesions.\n"
      "--choose-postprocessing tries, each upon what was better before: keep_largest, all but the largest component (26 neighbours) of\n"
      "all labels together become background, if the mean Dice rises and that of no class falls (as nnU-Net); of each class, if there are\n"
      "several; fill_holes of each class: background that it encloses (6 neighbours); remove_small of each class: components below the\n"
      "best of 5, 10, 20, 50 .. 10000 mm3; if its mean Dice over the cases and the mean of all rise. Choose it on validation cases alone.\n"
      "Every evaluation has, for each class but the background, against all others:\n"
      "  Dice       2 TP / (2 TP + FP + FN); IoU TP / (TP + FP + FN); both not a number if the class is in neither, 0 if in one only\n"
      "  precision  TP / (TP + FP), not a number if not predicted; recall TP / (TP + FN), not a number if not in the reference\n"
      "  HD95       95th percentile of the distances between the surfaces in mm, the larger of both directions; a surface is the voxels\n"
      "             of an object with a face neighbour outside it or the volume; not a number if in neither, infinite if in one only\n"
      "  NSD        share of both surfaces' voxels within --tolerance of the other surface, as MONAI; not a number if in neither,\n"
      "             0 if in one only\n"
      "Means leave out what is not a number, and what is infinite. Distances heed the spacing of the voxels. Names for --metrics:\n";
  for (const MetricEntry& m : metric_registry().entries()) out += "  " + m.name + "  (" + m.key + ") " + m.summary + "\n";
  return out;
}

}  // namespace voxgrad
