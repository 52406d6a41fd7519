#include "core/config/json_values.h"
#include "tasks/image_scores/evaluate_images.h"
#include "tasks/restoration/restoration.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, RestorationOptions& o) {
  t.choice("learns", o.learns, {"degraded", "noise2void"},
           "degraded: to undo what training does to images; noise2void: what images are without noise that is independent from voxel to "
           "voxel, of images that have it");
  t.range("noise", o.noise, 0, 100, "standard deviation of the noise that training adds, in those of the image, where degradations is []");
  t.add_json("degradations",
             "what training does to images, one after the other: [{\"kind\": gaussian, rician, poisson, speckle, blur or low_resolution, "
             "\"strength\": [low, high], \"axes\": [0, 1, 2]}, ..]; rician, poisson and speckle want "
             "data.normalization=rescale_to_0_1. tasks/restoration/degradation.h has the formulas and units",
             [&o] { return json_of(o.degradations); }, [&o](const Json& v) { o.degradations = degradations_from(v); });
  t.number("masked", o.masked, 1e-6, 0.5, "noise2void: part of the voxels of a patch that are hidden");
  t.integer("neighbours", o.neighbours, 1, 100, "noise2void: how far away the values are from that hidden voxels take");
  t.choice("loss", o.loss, {"l1", "l2"}, "mean absolute or mean squared difference");
}

}  // namespace

TaskEntry restoration_task() {
  return {.name = "restoration",
          .summary = "a better image: less noise, less blur, more resolution, learned without pairs",
          .defaults = R"({"network": {"deep_supervision": false},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0, "oversample_foreground": 0},
                          "augment": {"noise": 0, "blur": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<RestorationOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Restoration>(o.as<RestorationOptions>()); },
          .describe_scores = [] { return describe_image_scores(ScoreRange::span); }};
}

}  // namespace voxgrad
