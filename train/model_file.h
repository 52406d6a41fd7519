#pragma once
#include <filesystem>

#include "io/checkpoint.h"
#include "models/unet.h"
#include "train/description.h"

namespace voxgrad {

// A trained network and what it takes to use it.
struct Model {
  UNet net;
  ModelDescription description;
};

// The checkpoint of a network: its tensors under "net.", its description as JSON in the metadata "voxgrad.model".
Checkpoint checkpoint_of(UNet& net, const ModelDescription&);
// A file, or the folder of a run: its best checkpoint, else its last.
Model load_model(const std::filesystem::path& run_or_file);
ModelDescription description_of(const Checkpoint&, const std::string& file);

}  // namespace voxgrad
