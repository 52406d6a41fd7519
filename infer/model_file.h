#pragma once
#include <filesystem>

#include "data/description.h"
#include "io/checkpoint.h"
#include "models/network.h"

namespace voxgrad {

// A trained network and what it takes to use it.
struct Model {
  Network net;
  ModelDescription description;
};

// The checkpoint of a network: its tensors under "net.", its description as JSON in the metadata "voxgrad.model".
Checkpoint checkpoint_of(const Network& net, const ModelDescription&);
// A file, or the folder of a run: its best checkpoint, else its last; or what one of model_sources() (infer/model_source.h) recognises.
Model load_model(const std::filesystem::path& run_or_file);
ModelDescription description_of(const Checkpoint&, const std::string& file);

}  // namespace voxgrad
