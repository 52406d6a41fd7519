#include "tasks/segmentation/segmentation.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, SegmentationOptions& o) {
  t.number("dice_weight", o.dice_weight, 0, 100, "weight of soft Dice in the loss");
  t.number("cross_entropy_weight", o.cross_entropy_weight, 0, 100, "weight of cross-entropy in the loss");
}

}  // namespace

TaskEntry segmentation_task() {
  return {.name = "segmentation",
          .summary = "a label for each voxel",
          .options = [] { return Options::of<SegmentationOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Segmentation>(o.as<SegmentationOptions>()); }};
}

}  // namespace voxgrad
