#include <limits>

#include "tasks/segmentation/metrics/metric.h"
#include "tasks/segmentation/metrics/skeleton.h"

namespace voxgrad {
namespace {

// Of the voxels of the centreline of one object, the part that lies in the other. The former is not empty.
double part_within(const Tensor& centreline, const Box& box, const Tensor& other, uint8_t label) {
  const auto line = centreline.data<uint8_t>(), o = other.data<uint8_t>();
  const int64_t height = centreline.dim(1), width = centreline.dim(2);
  double all = 0, within = 0;
  for (int64_t i = 0; i < centreline.count(); ++i) {
    if (!line[size_t(i)]) continue;
    const int64_t d = box.begin[0] + i / (height * width), h = box.begin[1] + i / width % height, w = box.begin[2] + i % width;
    ++all;
    within += o[size_t((d * other.dim(1) + h) * other.dim(2) + w)] == label;
  }
  return within / all;
}

double cl_dice(const ObjectPair& o) {
  if (o.predicted() == 0 && o.real() == 0) return std::numeric_limits<double>::quiet_NaN();
  if (o.predicted() == 0 || o.real() == 0) return 0;
  const ObjectPair::Facts& f = o.facts();
  const double precision = part_within(skeleton_of(f.prediction, f.label, f.box), f.box, f.reference, f.label);
  const double recall = part_within(skeleton_of(f.reference, f.label, f.box), f.box, f.prediction, f.label);
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

}  // namespace

MetricEntry cl_dice_metric() {
  return {.name = "cl_dice",
          .summary =
              "Dice of centrelines (clDice, Shit et al. 2021), of vessels and other nets: 2 p r / (p + r), p being the part of the "
              "prediction's centreline that lies in the reference and r that of the reference's that lies in the prediction; centrelines "
              "are scikit-image's skeletonize(method=\"lee\"); not a number if the class is in neither, 0 if in one only",
          .key = "clDice",
          .value = cl_dice};
}

}  // namespace voxgrad
