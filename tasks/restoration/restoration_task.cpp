#include "tasks/restoration/restoration.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, RestorationOptions& o) {
  t.range("noise", o.noise, 0, 100, "standard deviation of the noise that training adds, in those of the image");
  t.choice("loss", o.loss, {"l1", "l2"}, "mean absolute or mean squared difference");
}

}  // namespace

TaskEntry restoration_task() {
  return {.name = "restoration",
          .summary = "a better image: denoising, learned without pairs",
          .defaults = R"({"network": {"deep_supervision": false},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0, "oversample_foreground": 0},
                          "augment": {"noise": 0, "blur": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<RestorationOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Restoration>(o.as<RestorationOptions>()); }};
}

}  // namespace voxgrad
