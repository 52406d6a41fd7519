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

std::string network_kind(const Json& config) {
  check(config.is_object(), "network: a JSON object is wanted, not ", config.dump().substr(0, 60));
  if (!config.contains("kind")) return "unet";
  check(config["kind"].is_string(), "network: its \"kind\" is ", config["kind"].dump().substr(0, 60), ", wanted a name");
  return config["kind"].get<std::string>();
}

Network build_network(const Json& config, Rng& rng) { return model_registry().find(network_kind(config)).build(config, rng); }
NetworkTraits network_traits(const Json& config) { return model_registry().find(network_kind(config)).traits(config); }

}  // namespace voxgrad
