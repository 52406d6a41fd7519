#include "models/encoder/encoder.h"

#include <algorithm>

#include "core/config/json_values.h"

namespace voxgrad {
namespace {

Json encoder_json_of(const std::string& config) {
  Json j = Json::parse(config, nullptr, false);
  check(!j.is_discarded(), "encoder: JSON of a network is wanted, not \"", config.substr(0, 60), "\"");
  return j;
}

}  // namespace

Encoder::Encoder(const std::string& config, int in_channels, Rng& rng) {
  Json j = encoder_json_of(config);
  j["in_channels"] = in_channels;
  net_ = encoder_entry(j).build(j, rng);
  stages_ = encoder_stages(config);
}

std::vector<Tensor> Encoder::features(const char* who, const Tensor& x) const {
  const int channels = net_.traits().in_channels;
  check(x && x.shape().rank == 5 && x.dim(-1) == channels, who, ": the input is ", x, ", wanted is {N, D, H, W, ", channels, "}");
  const Int3 divisor = stages_.back().stride, size = x.shape().spatial();
  for (int a = 0; a < 3; ++a)
    check(size[a] > 0 && size[a] % divisor[a] == 0, who, ": an input of ", size, " voxels is not a multiple of ", divisor,
          ", the product of the strides");
  return net_(x);
}

Encoder Encoder::clone() const {
  Encoder copy = *this;
  copy.net_ = net_.clone();
  return copy;
}

const EncoderEntry& encoder_entry(const Json& config) {
  const std::string kind = network_kind(config);
  std::string known;
  for (const ModelEntry& e : model_registry().entries()) {
    if (!e.encoder) continue;
    if (e.name == kind) return *e.encoder;
    known += (known.empty() ? "" : ", ") + e.name;
  }
  fail("encoder: \"", kind, "\" is none; known are ", known);
}

std::vector<EncoderStage> encoder_stages(const std::string& config) {
  const Json j = encoder_json_of(config);
  return encoder_entry(j).stages(j);
}

Int3 encoder_divisor(const std::string& config) { return encoder_stages(config).back().stride; }

double least_encoder_weights(const std::string& config) {
  const Json j = encoder_json_of(config);
  return encoder_entry(j).least_weights(j);
}

int stage_of_stride(const std::vector<EncoderStage>& stages, int stride) {
  for (size_t s = 0; s < stages.size(); ++s)
    if (std::max({stages[s].stride.d, stages[s].stride.h, stages[s].stride.w}) >= stride) return int(s);
  return int(stages.size()) - 1;
}

UNetConfig decoder_config(const std::string& encoder) {
  const Json j = encoder_json_of(encoder);
  const EncoderEntry& entry = encoder_entry(j);
  if (entry.decoder) return unet_config_from_json(Json::parse(entry.decoder(j)));
  UNetConfig c;
  const std::vector<EncoderStage> stages = entry.stages(j);
  for (size_t s = 0; s < stages.size(); ++s) {
    c.features.push_back(stages[s].channels);
    c.kernels.push_back(stages[s].kernel);
    Int3 stride = stages[s].stride;
    for (int a = 0; s > 0 && a < 3; ++a) stride[a] /= stages[s - 1].stride[a];
    c.strides.push_back(stride);
  }
  c.encoder_depth.assign(stages.size(), 1);
  c.decoder_depth.assign(stages.size() - 1, 2);
  c.deep_supervision = false;
  return c;
}

void add_encoder_part(ConfigTable& t, std::string& encoder) {
  t.add_json("encoder", "", [&encoder] { return encoder_json_of(encoder); },
             [&encoder](const Json& j) {
               encoder_entry(j).stages(j);
               encoder = j.dump();
             });
}

Json with_encoder_part(Json config) {
  if (!config.is_object() || !config.contains("unet") || config.contains("encoder")) return config;
  Json encoder = config["unet"];
  check(encoder.is_object(), "encoder: \"unet\" is ", encoder.dump().substr(0, 60), ", an object is wanted");
  encoder["kind"] = "unet";
  config.erase("unet");
  config["encoder"] = std::move(encoder);
  return config;
}

std::string encoder_weight_rules(const Json& config) {
  const Json encoder = with_encoder_part(config).value("encoder", Json::object());
  return model_registry().find(network_kind(encoder)).weight_rules(encoder);
}

}  // namespace voxgrad
