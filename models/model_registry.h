#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/config/registry.h"
#include "core/rng.h"
#include "models/network.h"

namespace voxgrad {

// A GPU that patch and batch are planned for by nnU-Net's rules, and what these rules look at.
struct PlanBudget {
  double memory_gb = 0;       // 0: not planned so
  double dataset_voxels = 0;  // of all training cases, at the spacing
  bool slices = false;        // a 2D network: of extents and spacing those along H and W count
};
// What a network is planned for.
struct PlanRequest {
  int in_channels = 1, out_channels = 1;
  Int3 patch = {0, 0, 0};                            // of the input; an axis of 0 is to be planned
  std::array<double, 3> extent = {1, 1, 1};          // median of the cases, in voxels of `spacing`
  std::array<double, 3> spacing = {1, 1, 1};         // mm along D, H, W
  PlanBudget budget = {};
};
struct NetworkPlan {
  std::string config;  // JSON for build
  Int3 patch;          // which the network takes
  int batch = 0;       // 0: not planned
};

// A network as the encoder of another one (models/encoder): what it computes up to its last stage, and none of what follows.
struct EncoderEntry {
  std::function<Options()> options;
  // Of extents that are multiples of the last stage's stride. Its out_channels are those of the whole and do not matter.
  std::function<NetworkPlan(const Options&, const PlanRequest&)> plan;
  std::function<std::vector<EncoderStage>(const Json& config)> stages;  // finest first
  std::function<Network(const Json& config, Rng&)> build;               // its outputs are the features after each stage
  std::function<double(const Json& config)> least_weights;
  // JSON of the U-Net whose decoder suits it. Absent: one of the stages' channels, strides and kernels.
  std::function<std::string(const Json& config)> decoder = {};
};

// A network that a configuration can name. One file models/NAME/NAME_model.cpp defines `ModelEntry NAME_model()`; a program adds its own by
// model_registry().add(..).
struct ModelEntry {
  std::string name, summary;
  bool dense = true;  // gives a value per voxel (outputs of the input's extents), not values per image
  // Keys of the configuration below "network.", beside "kind".
  std::function<Options()> options = [] { return Options(); };
  // Error where no such network can do what is wanted, in terms of the keys. Absent: it is made of trained ones and not trained itself.
  std::function<NetworkPlan(const Options&, const PlanRequest&)> plan;
  // An unknown or impossible entry is an Error that names it. The kind is in config["kind"].
  std::function<Network(const Json& config, Rng&)> build;
  // What the network of `config` takes and gives, before it is built. Errors as of build.
  std::function<NetworkTraits(const Json& config)> traits;
  // Weights that it has at the least: what a file describes is held against the file's size before memory is asked for.
  std::function<double(const Json& config)> least_weights = [](const Json&) { return 0.0; };
  // How the usual files of other programs become the weights of the network of `config`: JSON as infer/weights/weight_rules.h has it.
  // Empty: nobody says.
  std::function<std::string(const Json& config)> weight_rules = [](const Json&) { return std::string(); };
  std::optional<EncoderEntry> encoder = {};  // absent: it is none
};
Registry<ModelEntry>& model_registry();

// The kind of a network's JSON; "unet" where it names none.
std::string network_kind(const Json& config);
Network build_network(const Json& config, Rng&);
NetworkTraits network_traits(const Json& config);
std::string weight_rules_of(const Json& config);

}  // namespace voxgrad
