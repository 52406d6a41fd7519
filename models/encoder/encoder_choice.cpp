#include "models/encoder/encoder_choice.h"

#include "core/config/json_values.h"
#include "models/encoder/encoder.h"

namespace voxgrad {
namespace {

constexpr const char* kUsualEncoder = "unet";

std::string key_prefix(const std::string& encoder) { return encoder == kUsualEncoder ? "" : encoder + "."; }

}  // namespace

EncoderChoice::EncoderChoice() : name_(kUsualEncoder) {
  for (const ModelEntry& e : model_registry().entries())
    if (e.encoder) options_.emplace_back(e.name, e.encoder->options());
}

EncoderChoice::EncoderChoice(const EncoderChoice& other) : name_(other.name_) {
  for (auto& [name, options] : other.options_) options_.emplace_back(name, options.clone());
}

void EncoderChoice::add_keys(ConfigTable& t) {
  std::vector<std::string> names;
  for (auto& [name, options] : options_) names.push_back(name);
  t.choice("encoder", name_, names,
           "whose stages are gone on from; keys of a U-Net's follow as they are, those of another one with its name in front");
  for (const bool usual : {true, false})
    for (auto& [name, options] : options_)
      for (ConfigKey key : options.keys()) {
        if ((name == kUsualEncoder) != usual) continue;
        key.name = t.prefix + key_prefix(name) + key.name;
        t.keys.push_back(std::move(key));
      }
}

NetworkPlan EncoderChoice::plan(const PlanRequest& r) const {
  NetworkPlan out;
  for (auto& [name, options] : options_) {
    const EncoderEntry& entry = *model_registry().find(name).encoder;
    if (name == name_) {
      out = entry.plan(options, r);
      continue;
    }
    const Json usual = entry.options().to_json(), now = options.to_json();
    for (auto& [key, value] : now.items())
      check(value == usual[key], "network.", key_prefix(name), key, ": is ", value.dump(), ", a key of the encoder ", name,
            "; network.encoder is ", name_);
  }
  Json j = Json::parse(out.config);
  for (const char* key : {"in_channels", "classes"}) j.erase(key);
  j["kind"] = name_;
  out.config = j.dump();
  return out;
}

}  // namespace voxgrad
