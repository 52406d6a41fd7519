#include "core/config/json_values.h"
#include "tasks/image_scores/evaluate_images.h"
#include "tasks/reconstruction/reconstruction.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, ReconstructionOptions& o) {
  MeasurementOptions& m = o.measurement;
  t.choice("measurement", m.kind, {"kspace", "projections"}, "what is measured: undersampled k-space of several coils, or projections");
  t.choice("sees", o.sees, {"measurement", "image"},
           "what the network takes: the measurement (varnet, learned_primal_dual), or the zero-filled image or filtered back-projection, "
           "which it corrects (unet and the like)");
  add_loss_key(t, o.loss);
  t.integer("coils", m.coils, 1, 64, "of the simulated receiver");
  t.choice("mask", m.mask, {"random", "equispaced", "equispaced_fraction", "magic", "poisson_disc"},
           "what is measured of k-space: columns, as fastMRI's masks, or places of both axes, where both are phase encodings");
  t.add("mask_file", "a file of numbers {H, W} as large as the slices, not 0 where all of them are measured, in place of mask", m.mask_file,
        [](const Json& v) {
          check(v.is_string(), "the name of a file is wanted");
          return v.get<std::string>();
        });
  t.number("centre_fraction", m.centre_fraction, 0, 1,
           "share of the columns (poisson_disc: and of the rows) in the middle that are always measured");
  t.number("acceleration", m.acceleration, 1, 100, "all columns, or places, over those measured");
  t.number("phase", m.phase, 0, 10, "radians: of the smooth random phase that images get");
  t.number("noise", m.noise, 0, 10, "of k-space, in parts of the root mean square of the image");
  t.integer("views", m.views, 1, 100000, "of the projections, over half a turn");
  t.number("projection_noise", m.projection_noise, 0, 10, "in parts of the mean of the projections");
}

}  // namespace

TaskEntry reconstruction_task() {
  return {
      .name = "reconstruction",
      .summary = "images from undersampled k-space or few projections, learned from images",
      .defaults = R"({"network": {"kind": "varnet"}, "data": {"normalization": "rescale_to_0_1"},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0, "oversample_foreground": 0,
                                    "batch": 1},
                          "augment": {"noise": 0, "blur": 0, "low_resolution": 0, "brightness": 0, "contrast": 0, "gamma": 0}})",
      .options = [] { return Options::of<ReconstructionOptions>(add_keys); },
      .make = [](const Options& o) { return std::make_shared<Reconstruction>(o.as<ReconstructionOptions>()); },
      .describe_scores = [] { return describe_image_scores(ScoreRange::largest); }};
}

}  // namespace voxgrad
