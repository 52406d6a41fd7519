#include "infer/weights/import.h"

#include <algorithm>
#include <cstring>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "io/weights/weights.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
// Null where a model has none.
const Json* rules_in(const Json& file, const std::string& who) {
  if (file.is_array()) return &file;
  for (auto& [key, value] : file.items())
    check(file.is_object() && (key == "model" || key == "rules"), who, ": \"", key, "\" is unknown; \"model\" and \"rules\" are wanted");
  check(file.is_object() && (file.contains("rules") || file.contains("model")), who, ": has neither \"model\" nor \"rules\"");
  return file.contains("rules") ? &file["rules"] : nullptr;
}

ModelDescription model_in(const Json& file, const std::string& who) {
  check(file.is_object() && file.contains("model") && file["model"].is_object(), who,
        ": has no \"model\", which says what network the weights are of and what it takes");
  Json model = file["model"];
  const ModelDescription usual;
  const Json defaults = {{"format", 1}, {"nan", usual.nan}, {"overlap", usual.overlap}, {"mirror", usual.mirror}, {"dtype", usual.dtype}};
  for (auto& [key, value] : defaults.items())
    if (!model.contains(key)) model[key] = value;
  try {
    return description_from_json(model);
  } catch (const Error& e) { fail(who, ": ", e.what()); }
}

bool begins(const std::string& name, size_t at, const char* word) { return name.compare(at, std::strlen(word), word) == 0; }

// The dict of weights in a file that holds more than these, such as the state of an optimizer; empty where there is none.
std::string weights_among(const std::vector<std::string>& names) {
  for (const char* dict : {"state_dict.", "model_state_dict.", "network_weights."})
    if (std::any_of(names.begin(), names.end(), [&](auto& n) { return begins(n, 0, dict); })) return dict;
  return "";
}

// The length of what all names begin with from `length` on, of a few words: DataParallel's "module." and what modules around a network
// call it.
size_t shared_prefix(const std::vector<std::string>& names, size_t length) {
  for (bool more = !names.empty(); more;) {
    more = false;
    for (const char* word : {"module.", "model.", "net.", "network."}) {
      if (!std::all_of(names.begin(), names.end(), [&](auto& n) { return begins(n, length, word); })) continue;
      length += std::strlen(word);
      more = true;
    }
  }
  return length;
}

std::vector<WeightRule> rules_of(const Json& network) {
  const std::string kind = network_kind(network), rules = weight_rules_of(network);
  check(!rules.empty(), "the network \"", kind, "\" has no rules for weights of other programs; --rules FILE has");
  return weight_rules(parse_json(rules, kind), kind);
}

WeightMap foreign(const std::vector<std::string>& all, const Json& network, const std::string& who,
                  const std::function<Tensor(size_t)>& load) {
  const std::string dict = weights_among(all);
  std::vector<std::string> names;
  std::vector<size_t> places;
  std::vector<std::pair<std::string, std::string>> others;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!begins(all[i], 0, dict.c_str())) {
      others.emplace_back(all[i], "not among the weights");
      continue;
    }
    names.push_back(all[i]);
    places.push_back(i);
  }
  const size_t prefix = shared_prefix(names, dict.size());
  for (std::string& n : names) n.erase(0, prefix);
  WeightMap m = map_weights(names, rules_of(network), who, [&](size_t i) { return load(places[i]); });
  m.skipped.insert(m.skipped.end(), others.begin(), others.end());
  return m;
}
}  // namespace

double held_by(const Weights& w) {
  double held = 0;
  for (auto& t : w.list()) held += double(t.shape.count());
  return held;
}

ImportFile read_rules(const fs::path& file) {
  const Json j = read_json(file);
  const Json* rules = rules_in(j, file.string());
  return {rules ? weight_rules(*rules, file.string()) : std::vector<WeightRule>{}, j.is_object() && j.contains("model")};
}

WeightMap foreign_weights(const Weights& w, const Json& network) {
  std::vector<std::string> names;
  for (auto& e : w.list()) names.push_back(e.name);
  return foreign(names, network, w.name(), [&](size_t i) { return w.load(i); });
}

WeightMap foreign_weights(const Checkpoint& c, const Json& network, const std::string& who) {
  std::vector<std::string> names;
  for (auto& t : c.tensors) names.push_back(t.name);
  return foreign(names, network, who, [&](size_t i) { return c.tensors[i].tensor.detach().to(Device{}); });
}

Model import_model(const fs::path& file, const fs::path& rules_file) {
  const Json j = read_json(rules_file);
  const Json* rules = rules_in(j, rules_file.string());
  Model m;
  m.description = model_in(j, rules_file.string());
  const auto weights = open_weights(file);
  const auto mapped = [&] {
    WeightMap map = rules ? map_weights(*weights, weight_rules(*rules, rules_file.string()))
                          : foreign_weights(*weights, parse_json(m.description.network, rules_file.string()));
    check(map.unmatched.empty(), describe(map));
    return std::move(map.weights);
  };
  m.net = network_with(m.description, held_by(*weights), mapped, file.string() + " by " + rules_file.string());
  return m;
}

}  // namespace voxgrad
