#include "core/config/options.h"

#include "core/config/json_values.h"

namespace voxgrad {

Json Options::to_json() const {
  Json out = Json::object();
  for (auto& key : keys()) out[key.name] = key.get();
  return out;
}

void Options::set(const Json& object, const std::string& where) const {
  check(object.is_object(), where, ": an object of options is wanted, not ", object.dump());
  for (auto& [name, value] : object.items()) set_key(keys(), name, value, where);
}

}  // namespace voxgrad
