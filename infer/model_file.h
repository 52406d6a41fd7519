#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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
// Another description of the same network.
void set_description(Checkpoint&, const ModelDescription&);
struct LoadModelOptions {
  std::vector<std::string> folds = {};  // of a model with several: "0", "all"; empty: those that there are
  std::filesystem::path rules = {};     // of weights that are no model by themselves: infer/weights/import.h
};
// A file, or the folder of a run: its best checkpoint, else its last; or what one of model_sources() (infer/model_source.h) recognises.
Model load_model(const std::filesystem::path& run_or_file, const LoadModelOptions& = {});
// Several models as one, whose output is the mean of theirs (models/ensemble); what they ask of preprocessing must be the same. Where their
// tasks have temperatures (tasks/classification) it has the mean of these.
Model load_ensemble(const std::vector<std::filesystem::path>&, const LoadModelOptions& = {});
// A network of this description with weights of these names; an Error in the name of who lists all that does not fit. `held`: numbers that
// the file holds, against which the description is held before memory is asked for.
Network network_with(const ModelDescription&, double held, const std::function<Checkpoint()>& weights, const std::string& who);
ModelDescription description_of(const Checkpoint&, const std::string& file);

}  // namespace voxgrad
