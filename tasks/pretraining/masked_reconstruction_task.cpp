#include "tasks/pretraining/masked_reconstruction.h"

namespace voxgrad {
namespace {

void add_masked_keys(ConfigTable& t, MaskedReconstructionOptions& o) {
  t.number("ratio", o.ratio, 0.01, 0.99, "part of the blocks of a patch that are masked");
  t.extents("block", o.block, 0, 1024, "extents [d, h, w] of a block in voxels; 0: an eighth of the patch, at most 16");
}

}  // namespace

TaskEntry masked_reconstruction_task() {
  return {.name = "masked_reconstruction",
          .summary = "pre-training on images alone: what masked blocks of them hold (masked autoencoder)",
          .defaults = R"({"network": {"deep_supervision": false},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01, "oversample_foreground": 0},
                          "augment": {"noise": 0, "blur": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<MaskedReconstructionOptions>(add_masked_keys); },
          .make = [](const Options& o) { return std::make_shared<MaskedReconstruction>(o.as<MaskedReconstructionOptions>()); }};
}

}  // namespace voxgrad
