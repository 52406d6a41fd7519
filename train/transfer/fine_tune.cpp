#include "train/transfer/fine_tune.h"

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "tasks/task.h"
#include "train/plan.h"

namespace voxgrad {
namespace {
constexpr const char* kOutputs = "classes";  // key of a network's JSON
}

Model initial_model(const TrainConfig& config) { return first_model(config.train.init, {.rules = config.train.init_rules}); }

Model first_model(const std::filesystem::path& path, const LoadModelOptions& options) {
  Model m = load_model(path, options);
  const Json network = parse_json(m.description.network, path.string());
  if (network_kind(network) != "ensemble") return m;
  // Members are stored under names of their own.
  Rng unused(0);
  Network first = build_network(network["members"][0], unused);
  load_into(first, Checkpoint{.tensors = state_of(m.net)}, {.prefix = "members.0.", .strict = true});
  m.description.network = first.config();
  m.description.traits = first.traits();
  m.net = first;
  return m;
}

ModelDescription plan_from(const ModelDescription& model, const Dataset& dataset, const TrainConfig& config,
                           const std::vector<std::string>& outputs, bool dense) {
  const std::string& who = config.train.init;
  ModelDescription d = model;
  check(dataset.channel_names.size() == d.channels.size(), who, ": takes ", d.channels.size(), " channels, the data set ", dataset.name,
        " has ", dataset.channel_names.size());
  check(d.previous_labels == previous_labels_of(config), who, ": sees ", d.previous_labels.size(), " labels of a first stage, with ",
        "data.previous_stage=\"", config.data.previous_stage, "\" the data set has ", previous_labels_of(config).size());
  check(d.traits.dense == dense, who, ": its network gives ", d.traits.dense ? "a value for each voxel" : "values for the image",
        ", the task ", config.task.name, " wants the other");
  d.channels = dataset.channel_names;
  d.labels = outputs;
  d.task = task_json(config.task.name, task_options(config));
  d.dtype = config.train.dtype;
  if (!config.data.spacing.empty())
    for (size_t a = 0; a < 3; ++a) d.spacing[a] = config.data.spacing[a];
  for (int a = 0; a < 3; ++a)
    if (config.train.patch[a] > 0) d.patch[a] = config.train.patch[a];
  for (int a = 0; a < 3; ++a)
    check(d.patch[a] % d.traits.divisor[a] == 0, "train.patch: ", d.patch, " is not a multiple of ", d.traits.divisor,
          ", the strides of the network of ", who);
  if (int(outputs.size()) != d.traits.out_channels) {
    Json network = parse_json(d.network, who);
    check(network.contains(kOutputs), who, ": has ", d.traits.out_channels, " outputs, ", outputs.size(), " are wanted");
    network[kOutputs] = outputs.size();
    d.network = network.dump();
    d.traits = network_traits(network);
  }
  return d;
}

std::vector<std::string> start_from(Network& net, const Network& initial) {
  Network from = initial;
  Checkpoint given{.tensors = state_of(from)};
  std::vector<std::string> kept;
  const bool same = net.traits().out_channels == from.traits().out_channels;
  if (!same)
    for (auto& target : state_of(net)) {
      const Tensor* value = given.find(target.name);
      if (!value || value->shape() == target.tensor.shape()) continue;
      kept.push_back(target.name);
      std::erase_if(given.tensors, [&](auto& p) { return p.name == target.name; });
    }
  load_into(net, given, {.skip = kept});
  return kept;
}

}  // namespace voxgrad
