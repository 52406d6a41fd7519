#include "train/config.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "tasks/task.h"
#include "train/config_keys.h"

namespace voxgrad {
namespace {

bool is_group(const std::vector<ConfigKey>& keys, const std::string& prefix) {
  const std::string begin = prefix + ".";
  return std::any_of(keys.begin(), keys.end(), [&](auto& k) { return k.name.starts_with(begin); });
}

void apply_object(std::vector<ConfigKey>& keys, const Json& object, const std::string& prefix, const std::string& where) {
  check(object.is_object(), where, ": ", prefix.empty() ? "the configuration" : prefix, " must be an object, not ", object.dump());
  for (auto& [name, value] : object.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if (is_group(keys, path)) apply_object(keys, value, path, where);
    else set_key(keys, path, value, where);
  }
}

// What decides which other keys there are, in this order.
constexpr const char* kDeciding[] = {"task", "plan.configuration", "network.kind"};

struct Assignment {
  std::string key;
  Json value;
};

Assignment parsed(const std::string& text) {
  const auto equals = text.find('=');
  check(equals != text.npos && equals > 0, "--set ", text, ": key=value is wanted");
  const std::string value = text.substr(equals + 1);
  Json json = Json::parse(value, nullptr, false);
  if (json.is_discarded()) json = value;
  return {text.substr(0, equals), json};
}

}  // namespace

void apply_json(TrainConfig& config, const Json& document, const std::string& where) {
  TrainConfig changed = config;
  for (const char* deciding : kDeciding) {
    std::string pointer = std::string("/") + deciding;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const Json::json_pointer at(pointer);
    if (document.is_object() && document.contains(at)) set_key(config_keys(changed), deciding, document[at], where);
  }
  auto keys = config_keys(changed);
  apply_object(keys, document, "", where);
  config = changed;
}

void apply_assignments(TrainConfig& config, const std::vector<std::string>& texts) {
  std::vector<Assignment> all;
  for (auto& text : texts) all.push_back(parsed(text));
  for (const char* deciding : kDeciding)
    for (auto& a : all)
      if (a.key == deciding) set_key(config_keys(config), a.key, a.value, "--set");
  for (auto& a : all) set_key(config_keys(config), a.key, a.value, "--set");
}

Options task_options(const TrainConfig& c) {
  const Options o = task_registry().find(c.task.name).options();
  o.set(parse_json(c.task.options, "task " + c.task.name), "task " + c.task.name);
  return o;
}

Options network_options(const TrainConfig& c) {
  const Options o = model_registry().find(c.network.name).options();
  o.set(parse_json(c.network.options, "network " + c.network.name), "network " + c.network.name);
  return o;
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

std::string describe_keys(const std::vector<ConfigKey>& keys) {
  std::ostringstream out;
  for (auto& key : keys)
    out << "  " << std::left << std::setw(34) << key.name << std::setw(14) << key.get().dump() << ' ' << key.help << '\n';
  return out.str();
}

std::string describe_config() {
  TrainConfig defaults;
  return describe_keys(config_keys(defaults));
}

}  // namespace voxgrad
