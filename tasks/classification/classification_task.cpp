#include "tasks/classification/classification.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, ClassificationOptions& o) {
  t.number("label_smoothing", o.label_smoothing, 0, 1, "part of the target that is spread over all classes");
}

}  // namespace

TaskEntry classification_task() {
  return {.name = "classification",
          .summary = "one class for each image",
          .defaults = R"({"network": {"kind": "resnet"}, "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01,
                          "batch": 16, "oversample_foreground": 0}})",
          .options = [] { return Options::of<ClassificationOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Classification>(o.as<ClassificationOptions>()); }};
}

}  // namespace voxgrad
