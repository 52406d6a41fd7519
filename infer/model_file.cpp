#include "infer/model_file.h"

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/model_source.h"
#include "infer/weights/import.h"
#include "io/json_file.h"
#include "io/torch/torch_file.h"
#include "models/ensemble/ensemble.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {
constexpr const char* kModelKey = "voxgrad.model";
constexpr const char* kPrefix = "net.";
constexpr const char* kTemperature = "temperature";  // of a task's options: what each model of several was calibrated by
}  // namespace

Checkpoint checkpoint_of(const Network& given, const ModelDescription& description) {
  Network net = given;
  return {.tensors = state_of(net, "net"), .metadata = {{kModelKey, to_json(description).dump()}}};
}

void set_description(Checkpoint& c, const ModelDescription& d) { c.metadata[kModelKey] = to_json(d).dump(); }

ModelDescription description_of(const Checkpoint& c, const std::string& file) {
  const auto found = c.metadata.find(kModelKey);
  check(found != c.metadata.end(), file, ": is a checkpoint without the metadata \"", kModelKey, "\", so it is no model of voxgrad");
  const std::string who = file + " (metadata " + kModelKey + ")";
  const Json json = parse_json(found->second, who);
  try {
    return description_from_json(json);
  } catch (const Error& e) { fail(who, ": ", e.what()); }
}

Network network_with(const ModelDescription& d, double held, const std::function<Checkpoint()>& weights, const std::string& who) {
  const Json network = parse_json(d.network, who);
  const double least = model_registry().find(network_kind(network)).least_weights(network);
  check(least <= held, who, ": describes a network of at least ", least, " weights, but holds ", held, " numbers");
  Rng unused(0);
  Network net = build_network(network, unused);
  try {
    load_into(net, weights());
  } catch (const Error& e) { fail(who, ": ", e.what()); }
  return net;
}

const ModelSource* source_of(const std::filesystem::path& path) {
  for (const ModelSource& source : model_sources().entries())
    if (source.recognises(path)) return &source;
  return nullptr;
}

Model load_model(const std::filesystem::path& given, const LoadModelOptions& options) {
  if (!options.rules.empty()) return import_model(given, options.rules);
  if (const ModelSource* source = source_of(given)) return source->load(given, options);
  check(options.folds.empty(), given.string(), ": has no folds to choose from");
  std::filesystem::path file = given;
  if (std::filesystem::is_directory(given)) {
    file = given / "best.safetensors";
    if (!std::filesystem::exists(file)) file = given / "last.safetensors";
    check(std::filesystem::exists(file), given.string(), ": neither best.safetensors nor last.safetensors is in this folder");
  }
  check(!is_torch_file(file), file.string(), ": is a PyTorch checkpoint, which says nothing of its network; --rules FILE does");
  Checkpoint c = load_checkpoint(file);
  const ModelDescription d = description_of(c, file.string());
  // Of a run's last checkpoint, only the network is meant here.
  std::erase_if(c.tensors, [](auto& p) { return p.name.rfind(kPrefix, 0) != 0; });
  double held = 0;
  for (auto& p : c.tensors) {
    held += double(p.tensor.count());
    p.name.erase(0, std::string(kPrefix).size());
  }
  return {network_with(d, held, [&] { return c; }, file.string()), d};
}

Model load_ensemble(const std::vector<std::filesystem::path>& files, const LoadModelOptions& options) {
  check(!files.empty(), "no model is given");
  std::vector<Network> members;
  Model out;
  double temperature = 0;
  const auto without_network = [](const ModelDescription& d) {
    Json j = to_json(d);
    j.erase("network");
    if (j.contains("task")) j["task"].erase(kTemperature);
    return j;
  };
  for (const std::filesystem::path& file : files) {
    Model m = load_model(file, options);
    if (members.empty()) out.description = m.description;
    const Json first = without_network(out.description), other = without_network(m.description);
    for (auto& [key, value] : first.items())
      check(other.contains(key) && other[key] == value, file.string(), ": its \"", key, "\" is ",
            other.contains(key) ? other[key].dump().substr(0, 200) : "not said", ", that of ", files[0].string(), " is ",
            value.dump().substr(0, 200), "; models are averaged where they see the same");
    check(first.size() == other.size(), file.string(), ": does not describe its preprocessing as ", files[0].string(), " does");
    if (!m.description.task.empty()) temperature += parse_json(m.description.task, "the task").value(kTemperature, 1.0);
    members.push_back(std::move(m.net));
  }
  if (members.size() == 1) return {members[0], out.description};
  out.net = ensemble_of(std::move(members));
  out.description.network = out.net.config();
  out.description.traits = out.net.traits();
  Json task = out.description.task.empty() ? Json() : parse_json(out.description.task, "the task");
  if (task.contains(kTemperature)) task[kTemperature] = temperature / double(files.size()), out.description.task = task.dump();
  return out;
}

}  // namespace voxgrad
