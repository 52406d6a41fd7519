#include <algorithm>

#include "core/config/json_values.h"
#include "tasks/image_scores/evaluate_images.h"
#include "tasks/restoration/restoration.h"

namespace voxgrad {
namespace {

constexpr double kMostUpscaled = 64;

void add_keys(ConfigTable& t, RestorationOptions& o) {
  t.choice("learns", o.learns, {"degraded", "pairs", "noise2noise", "noise2void", "noise2self"},
           "degraded: to undo what training does to images; pairs: what a case's label, an image, is; noise2noise: what both images of a "
           "case are without noise; noise2void, noise2self: what images are without noise that is independent from voxel to voxel");
  t.range("noise", o.noise, 0, 100, "standard deviation of the noise that training adds, in those of the image, where degradations is []");
  const std::string what =
      "what training does to images, one after the other: [{\"kind\": \"rician\", \"strength\": [low, high], \"axes\": "
      "[0, 1, 2]}, ..], x being the image and s the strength; all but gaussian, blur, low_resolution and bias_field "
      "want data.normalization=rescale_to_0_1, or hounsfield; " +
      describe_degradations();
  t.add_json(
      "degradations", what.c_str(), [&o] { return json_of(o.degradations); },
      [&o](const Json& v) { o.degradations = degradations_from(v); });
  t.number("masked", o.masked, 1e-6, 0.5, "noise2void: part of the voxels of a patch that are hidden");
  t.integer("neighbours", o.neighbours, 1, 100, "noise2void: how far away the values are from that hidden voxels take");
  t.integer("grid", o.grid, 2, 16, "noise2self: every so many voxels along each axis one is hidden");
  add_loss_key(t, o.loss);
  t.add("upscale",
        "voxels of a prediction for one of its file, along [depth, height, width] as the network sees them, any factors from 1. degraded: "
        "where degradations is [] training takes low_resolution by these; pairs: of the second image for one of the first. []: the grid of "
        "the file",
        o.upscale, [](const Json& v) {
          const auto factor = [](const Json& x) { return x.is_number() && x.get<double>() >= 1 && x.get<double>() <= kMostUpscaled; };
          check(v.is_array() && (v.empty() || (v.size() == 3 && std::all_of(v.begin(), v.end(), factor))),
                "[] or three factors [depth, height, width] from 1 to ", kMostUpscaled, " are wanted");
          return v.get<std::vector<double>>();
        });
  t.integer("margin", o.margin, 0, 4096,
            "of predictions: voxels next to faces of a tile that do not count; as many as the network sees to either side make results "
            "independent of tiles, for tiles that overlap more");
}

}  // namespace

TaskEntry restoration_task() {
  return {.name = "restoration",
          .summary = "a better image: less noise, less blur, more resolution, learned from images or pairs of them",
          .defaults = R"({"network": {"deep_supervision": false, "norm": "batch"}, "data": {"normalization": "auto_unclipped"},
                          "train": {"optimizer": "adamw", "learning_rate": 0.003, "weight_decay": 0, "oversample_foreground": 0,
                                    "batch_statistics": 0.5},
                          "augment": {"noise": 0, "blur": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<RestorationOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Restoration>(o.as<RestorationOptions>()); },
          .describe_scores = [] { return describe_image_scores(ScoreRange::span); }};
}

}  // namespace voxgrad
