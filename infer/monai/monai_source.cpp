#include <algorithm>

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/model_source.h"
#include "infer/monai/monai.h"
#include "infer/weights/import.h"
#include "io/json_fields.h"
#include "io/json_file.h"
#include "io/weights/weights.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr int kDeepest = 32;  // of references
constexpr size_t kMostValues = 100'000;

// "a::b" and "a#b" lead into objects and lists.
const Json* looked_up(const Json& config, std::string path) {
  const Json* at = &config;
  for (size_t i; (i = path.find("::")) != path.npos;) path.replace(i, 2, "#");
  while (!path.empty()) {
    const size_t end = std::min(path.find('#'), path.size());
    const std::string key = path.substr(0, end);
    path.erase(0, end + (end < path.size()));
    if (at->is_object() && at->contains(key)) at = &(*at)[key];
    else if (at->is_array() && !key.empty() && key.size() < 6 && key.find_first_not_of("0123456789") == key.npos &&
             size_t(std::stoi(key)) < at->size())
      at = &(*at)[size_t(std::stoi(key))];
    else return nullptr;
  }
  return at;
}

Json resolved(const Json& config, const Json& j, const std::string& who, int depth, size_t& values) {
  check(depth < kDeepest && ++values < kMostValues, who, ": its references lead into one another");
  if (j.is_string()) {
    const std::string& text = j.get_ref<const std::string&>();
    check(!text.starts_with("$"), who, ": is \"", text.substr(0, 80), "\", an expression of Python, which is not evaluated");
    if (!text.starts_with("@")) return j;
    const Json* found = looked_up(config, text.substr(1));
    check(found, who, ": refers to ", text.substr(0, 80), ", which there is not");
    return resolved(config, *found, who, depth + 1, values);
  }
  if (!j.is_structured()) return j;
  Json out = j.is_array() ? Json::array() : Json::object();
  for (auto& [key, value] : j.items()) {
    const std::string what = j.is_array() ? who : who + ": " + key;
    // Where and how to compute, and files to write, do not matter here.
    static constexpr const char* kUnused[] = {"keys", "device", "sw_device", "transform", "orig_keys", "output_dir", "dtype", "data_type"};
    if (j.is_object() && std::any_of(std::begin(kUnused), std::end(kUnused), [&](const char* k) { return key == k; })) continue;
    if (j.is_array()) out.push_back(resolved(config, value, what, depth + 1, values));
    else out[key] = resolved(config, value, what, depth + 1, values);
  }
  return out;
}

fs::path bundle_folder(const fs::path& path) {
  const fs::path p = (fs::absolute(path) / "").lexically_normal().parent_path();
  return fs::is_directory(p) ? p : p.parent_path().parent_path();
}

// {"0": "background", "1": "spleen"}; numbered names where it is absent.
std::vector<std::string> names_in(const Json& metadata, const char* side, int count, const std::string& usual) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back(usual + " " + std::to_string(i));
  if (!metadata.is_object() || !metadata.contains("network_data_format")) return out;
  const Json& format = metadata["network_data_format"];
  if (!format.is_object() || !format.contains(side) || !format[side].is_object() || format[side].size() != 1) return out;
  const Json& one = format[side].begin().value();
  if (!one.is_object() || !one.contains("channel_def") || !one["channel_def"].is_object()) return out;
  for (auto& [key, value] : one["channel_def"].items())
    for (int i = 0; i < count; ++i)
      if (key == std::to_string(i) && value.is_string()) out[size_t(i)] = value.get<std::string>();
  return out;
}

// model.pt is a state dictionary, or holds one under a name.
std::vector<WeightRule> rules_below(std::vector<WeightRule> rules, const Weights& weights) {
  for (const std::string top : {"state_dict.", "model.", "network."}) {
    const bool all = std::all_of(weights.list().begin(), weights.list().end(), [&](auto& w) { return w.name.starts_with(top); });
    const bool own = std::any_of(rules.begin(), rules.end(), [&](auto& r) { return r.from.starts_with(top); });
    const bool twice = std::all_of(weights.list().begin(), weights.list().end(), [&](auto& w) { return w.name.starts_with(top + top); });
    if (weights.list().empty() || !all || (own && !twice)) continue;
    for (WeightRule& r : rules)
      if (!r.from.starts_with("**")) r.from = top + r.from;
    break;
  }
  return rules;
}

// Errors of f by the name of the file.
template <class F>
auto in_name_of(const std::string& who, F&& f) {
  try {
    return f();
  } catch (const Error& e) { fail(who, ": ", e.what()); }
}

}  // namespace

std::string target_of(const Json& j) {
  if (!j.is_object() || !j.contains("_target_") || !j["_target_"].is_string()) return {};
  const std::string name = j["_target_"].get<std::string>();
  return name.substr(name.rfind('.') + 1);
}

Json bundle_value(const Json& config, const std::string& key, const std::string& who) {
  size_t values = 0;
  return resolved(config, field(config, key, who), who + ": " + key, 0, values);
}

bool is_monai_bundle(const fs::path& path) {
  const fs::path p = bundle_folder(path);
  return (fs::is_directory(path) || path.extension() == ".pt") && fs::exists(p / "configs" / "inference.json") && fs::exists(p / "models");
}

Model load_monai_bundle(const fs::path& path, const LoadModelOptions& options) {
  const fs::path folder = bundle_folder(path), file = fs::is_directory(path) ? folder / "models" / "model.pt" : path;
  check(options.folds.empty(), folder.string(), ": has no folds to choose from");
  check(fs::exists(file), folder.string(), ": has no models/model.pt");
  const std::string who = (folder / "configs" / "inference.json").string();
  const Json config = read_json(who);
  const fs::path metadata = folder / "configs" / "metadata.json";
  const Json said = fs::exists(metadata) ? read_json(metadata) : Json::object();
  const BundleNetwork network = bundle_network(bundle_value(config, "network_def", who), who);
  Model m;
  ModelDescription& d = m.description;
  d.network = network.network;
  d.traits = in_name_of(who, [&] { return network_traits(parse_json(network.network, who)); });
  check(d.traits.out_channels > 1, who, ": its network has one output, which is not read");
  d.channels = names_in(said, "inputs", d.traits.in_channels, "channel");
  d.labels = names_in(said, "outputs", d.traits.out_channels, "label");
  add_preprocessing(d, bundle_value(config, "preprocessing", who), who + ": preprocessing");
  if (config.contains("postprocessing")) add_postprocessing(d, bundle_value(config, "postprocessing", who), who + ": postprocessing");
  add_inferer(d, bundle_value(config, "inferer", who), who + ": inferer");
  d = in_name_of(who, [&] { return description_from_json(to_json(d)); });  // validated
  const auto weights = open_weights(file);
  const auto mapped = [&] {
    WeightMap map = map_weights(*weights, rules_below(network.rules, *weights));
    check(map.unmatched.empty(), describe(map));
    return std::move(map.weights);
  };
  m.net = network_with(d, held_by(*weights), mapped, file.string() + " by " + who);
  return m;
}

ModelSource monai_source() {
  return {.name = "monai",
          .summary = "bundles of MONAI: configs/inference.json, configs/metadata.json, models/model.pt",
          .recognises = is_monai_bundle,
          .load = load_monai_bundle};
}

}  // namespace voxgrad
