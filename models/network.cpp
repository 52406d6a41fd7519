#include "models/network.h"

#include "core/config/json_values.h"
#include "models/model_registry.h"

namespace voxgrad {

Network Network::clone() const {
  Network copy = *this;
  if (module_) copy.module_ = module_->clone();
  return copy;
}

void Network::walk_fields(FieldVisitor& v, const std::string& path) {
  if (module_) module_->visit(v, path);
}

std::vector<EncoderStage> joined_stages(std::vector<EncoderStage> stages) {
  for (size_t s = 1; s < stages.size(); ++s)
    for (int a = 0; a < 3; ++a) stages[s].stride[a] *= stages[s - 1].stride[a];
  return stages;
}

std::string network_kind(const Json& config) {
  check(config.is_object(), "network: a JSON object is wanted, not ", config.dump().substr(0, 60));
  if (!config.contains("kind")) return "unet";
  check(config["kind"].is_string(), "network: its \"kind\" is ", config["kind"].dump().substr(0, 60), ", wanted a name");
  return config["kind"].get<std::string>();
}

Network build_network(const Json& config, Rng& rng) { return model_registry().find(network_kind(config)).build(config, rng); }
NetworkTraits network_traits(const Json& config) { return model_registry().find(network_kind(config)).traits(config); }
std::string weight_rules_of(const Json& config) { return model_registry().find(network_kind(config)).weight_rules(config); }

}  // namespace voxgrad
