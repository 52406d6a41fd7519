#include "infer/weights/import.h"

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "io/weights/weights.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
const Json& rules_in(const Json& file, const std::string& who) {
  if (file.is_array()) return file;
  for (auto& [key, value] : file.items())
    check(file.is_object() && (key == "model" || key == "rules"), who, ": \"", key, "\" is unknown; \"model\" and \"rules\" are wanted");
  check(file.is_object() && file.contains("rules"), who, ": has no \"rules\"");
  return file["rules"];
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
}  // namespace

double held_by(const Weights& w) {
  double held = 0;
  for (auto& t : w.list()) held += double(t.shape.count());
  return held;
}

ImportFile read_rules(const fs::path& file) {
  const Json j = read_json(file);
  return {weight_rules(rules_in(j, file.string()), file.string()), j.is_object() && j.contains("model")};
}

Model import_model(const fs::path& file, const fs::path& rules_file) {
  const Json j = read_json(rules_file);
  const std::vector<WeightRule> rules = weight_rules(rules_in(j, rules_file.string()), rules_file.string());
  Model m;
  m.description = model_in(j, rules_file.string());
  const auto weights = open_weights(file);
  const auto mapped = [&] {
    WeightMap map = map_weights(*weights, rules);
    check(map.unmatched.empty(), describe(map));
    return std::move(map.weights);
  };
  m.net = network_with(m.description, held_by(*weights), mapped, file.string() + " by " + rules_file.string());
  return m;
}

}  // namespace voxgrad
