#include "models/keyed_config.h"

#include "core/config/json_values.h"

namespace voxgrad {

std::string json_text_of(const char* kind, const ConfigTable& t) {
  Json out{{"kind", kind}};
  for (auto& key : t.keys) out[key.name] = key.get();
  return out.dump();
}

void set_fields(const ConfigTable& t, const Json& j, const char* who) {
  for (auto& [name, value] : j.items())
    if (name != "kind") set_key(t.keys, name, value, who);
}

void add_documented(ConfigTable& to, ConfigTable of) {
  for (ConfigKey& key : of.keys)
    if (!key.help.empty()) to.keys.push_back(std::move(key));
}

}  // namespace voxgrad
