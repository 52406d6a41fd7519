#include "tasks/pretraining/contrastive.h"

namespace voxgrad {
namespace {

void add_contrastive_keys(ConfigTable& t, ContrastiveOptions& o) {
  t.integer("features", o.features, 2, 4096, "numbers of an embedding");
  t.number("temperature", o.temperature, 0.001, 100, "that similarities are divided by");
}

}  // namespace

TaskEntry contrastive_task() {
  return {.name = "contrastive",
          .summary = "pre-training on images alone: embeddings of two views of an image alike, of other images not (SimCLR)",
          // The network of classification and regression, which it is to start.
          .defaults = R"({"network": {"kind": "resnet", "base_features": 32},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01, "batch": 32, "steps": 5000,
                                    "oversample_foreground": 0}})",
          .options = [] { return Options::of<ContrastiveOptions>(add_contrastive_keys); },
          .make = [](const Options& o) { return std::make_shared<Contrastive>(o.as<ContrastiveOptions>()); }};
}

}  // namespace voxgrad
