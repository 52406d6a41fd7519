#include "train/config.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "core/error.h"
#include "train/config_keys.h"

namespace voxgrad {
namespace {

bool is_group(const std::vector<ConfigKey>& keys, const std::string& prefix) {
  return std::any_of(keys.begin(), keys.end(), [&](auto& k) { return k.name.rfind(prefix + ".", 0) == 0; });
}

void apply_object(std::vector<ConfigKey>& keys, const Json& object, const std::string& prefix, const std::string& where) {
  check(object.is_object(), where, ": ", prefix.empty() ? "the configuration" : prefix, " must be an object, not ", object.dump());
  for (auto& [name, value] : object.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if (is_group(keys, path)) apply_object(keys, value, path, where);
    else set_key(keys, path, value, where);
  }
}

}  // namespace

void apply_json(TrainConfig& config, const Json& document, const std::string& where) {
  TrainConfig changed = config;
  auto keys = config_keys(changed);
  apply_object(keys, document, "", where);
  config = changed;
}

void apply_assignment(TrainConfig& config, const std::string& assignment) {
  const auto equals = assignment.find('=');
  check(equals != assignment.npos && equals > 0, "--set ", assignment, ": key=value is wanted");
  const std::string text = assignment.substr(equals + 1);
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) value = text;
  auto keys = config_keys(config);
  set_key(keys, assignment.substr(0, equals), value, "--set");
}

Json to_json(const TrainConfig& config) {
  TrainConfig copy = config;
  Json out = Json::object();
  for (auto& key : config_keys(copy)) {
    std::string pointer = "/" + key.name;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    out[Json::json_pointer(pointer)] = key.get();
  }
  return out;
}

std::string describe_config() {
  TrainConfig defaults;
  std::ostringstream out;
  for (auto& key : config_keys(defaults))
    out << "  " << std::left << std::setw(34) << key.name << std::setw(14) << key.get().dump() << ' ' << key.help << '\n';
  return out.str();
}

}  // namespace voxgrad
