#include "tasks/instances/instances.h"

namespace voxgrad {
namespace {

void instance_keys(ConfigTable& t, InstanceOptions& o) {
  t.choice("objects", o.source.objects, {"components", "labels"},
           "of label files: each connected part of a label is an object, or all voxels of a label are one");
  t.integer("min_voxels", o.source.min_voxels, 1, 1000000000, "of objects in label files; smaller ones are none");
  t.number("sigma_mm", o.sigma_mm, 0.01, 1000, "of the heat map of centres in mm: about a third of the radius of small objects");
  t.number("heat_weight", o.heat_weight, 0, 100, "weight of the heat map in the loss");
  t.number("offset_weight", o.offset_weight, 0, 100, "weight of the offsets to centres in the loss");
  t.number("least_peak", o.grouping.least_peak, 0, 1, "of a centre in the heat map");
  t.integer("least_voxels", o.grouping.min_voxels, 1, 1000000000, "of a predicted object");
}

}  // namespace

TaskEntry instances_task() {
  return {.name = "instances",
          .summary = "a mask for each object, such as nuclei or lesions that touch",
          .defaults = R"({"network": {"deep_supervision": false},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.0001, "average_weights": 0.99,
                                    "oversample_foreground": 0.5},
                          "augment": {"low_resolution": 0}})",
          .options = [] { return Options::of<InstanceOptions>(instance_keys); },
          .make = [](const Options& o) { return std::make_shared<Instances>(o.as<InstanceOptions>()); },
          .describe_scores = describe_instance_scores};
}

}  // namespace voxgrad
