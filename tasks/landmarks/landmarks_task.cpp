#include "tasks/landmarks/landmarks.h"

namespace voxgrad {
namespace {

void landmark_keys(ConfigTable& t, LandmarkOptions& o) {
  t.choice("from", o.source.from, {"centres", "ends"},
           "points of label files: the centre of each label, or the two ends of all labelled voxels along their longest extent");
  t.number("sigma_mm", o.sigma_mm, 0.01, 1000, "standard deviation of the heat maps in mm: about two voxels or more");
}

}  // namespace

TaskEntry landmarks_task() {
  return {.name = "landmarks",
          .summary = "named points in each image, such as anatomical landmarks",
          .defaults = R"({"network": {"deep_supervision": false},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.0001, "average_weights": 0.99,
                                    "oversample_foreground": 0.5, "validate_cases": 100},
                          "augment": {"mirror": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<LandmarkOptions>(landmark_keys); },
          .make = [](const Options& o) { return std::make_shared<Landmarks>(o.as<LandmarkOptions>()); },
          .describe_scores = describe_landmark_scores};
}

}  // namespace voxgrad
