#include "infer/model_file.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "infer/model_source.h"
#include "io/json_file.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {
constexpr const char* kModelKey = "voxgrad.model";
constexpr const char* kPrefix = "net.";
}  // namespace

Checkpoint checkpoint_of(const Network& given, const ModelDescription& description) {
  Network net = given;
  return {.tensors = state_of(net, "net"), .metadata = {{kModelKey, to_json(description).dump()}}};
}

ModelDescription description_of(const Checkpoint& c, const std::string& file) {
  const auto found = c.metadata.find(kModelKey);
  check(found != c.metadata.end(), file, ": is a checkpoint without the metadata \"", kModelKey, "\", so it is no model of voxgrad");
  const std::string who = file + " (metadata " + kModelKey + ")";
  const Json json = parse_json(found->second, who);
  try {
    return description_from_json(json);
  } catch (const Error& e) { fail(who, ": ", e.what()); }
}

Model load_model(const std::filesystem::path& given) {
  for (const ModelSource& source : model_sources().entries())
    if (source.recognises(given)) return source.load(given);
  std::filesystem::path file = given;
  if (std::filesystem::is_directory(given)) {
    file = given / "best.safetensors";
    if (!std::filesystem::exists(file)) file = given / "last.safetensors";
    check(std::filesystem::exists(file), given.string(), ": neither best.safetensors nor last.safetensors is in this folder");
  }
  Checkpoint c = load_checkpoint(file);
  ModelDescription d = description_of(c, file.string());
  // Of a run's last checkpoint, only the network is meant here.
  std::erase_if(c.tensors, [](auto& p) { return p.name.rfind(kPrefix, 0) != 0; });
  // Before memory is asked for: nothing in the file is believed that its weights do not bear out.
  double held = 0;
  for (auto& p : c.tensors) held += double(p.tensor.count());
  const Json network = parse_json(d.network, file.string());
  const double least = model_registry().find(network_kind(network)).least_weights(network);
  check(least <= held, file.string(), ": its metadata describe a network of at least ", least, " weights, but it holds ", held,
        " numbers of one");
  Rng unused(0);
  Model m{build_network(network, unused), d};
  try {
    load_into(m.net, c, {.prefix = kPrefix});
  } catch (const Error& e) { fail(file.string(), ": ", e.what()); }
  return m;
}

}  // namespace voxgrad
