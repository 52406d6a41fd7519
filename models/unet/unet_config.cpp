#include <algorithm>
#include <utility>

#include "core/config/json_values.h"
#include "models/unet/unet.h"

namespace voxgrad {
namespace {
using Json = nlohmann::ordered_json;

constexpr const char* kActivations[] = {"none", "relu", "leaky_relu", "elu", "gelu", "sigmoid", "silu", "softplus", "tanh"};

UNetConfig preset(const UNetConfig::Preset& p) {
  check(p.stages >= 2 && p.stages <= 12, "UNetConfig: ", p.stages, " stages, from 2 to 12 are possible");
  UNetConfig c;
  c.in_channels = p.in_channels;
  c.classes = p.classes;
  for (int s = 0; s < p.stages; ++s) {
    c.features.push_back(int(std::min<int64_t>(p.max_features, int64_t(p.base_features) << s)));
    c.kernels.push_back({3, 3, 3});
    c.strides.push_back(s == 0 ? Int3{1, 1, 1} : Int3{2, 2, 2});
  }
  return c;
}

Json json_of(const std::vector<Int3>& v) {
  Json out = Json::array();
  for (auto& i : v) out.push_back({i.d, i.h, i.w});
  return out;
}

template <size_t N>
int index_of(const char* const (&names)[N], const std::string& name, const char* key) {
  for (size_t i = 0; i < N; ++i)
    if (name == names[i]) return int(i);
  std::string all;
  for (auto n : names) all += std::string(all.empty() ? "" : ", ") + n;
  fail("UNetConfig: \"", key, "\" is \"", name, "\", none of ", all);
}

int whole(const Json& j) {
  if (!j.is_number_integer() || !std::in_range<int>(j.get<int64_t>())) throw std::runtime_error(j.dump() + " is no integer of 32 bits");
  return j.get<int>();
}

std::vector<int> whole_numbers(const Json& j) {
  if (!j.is_array()) throw std::runtime_error("a list of integers is wanted");
  std::vector<int> out;
  for (auto& v : j) out.push_back(whole(v));
  return out;
}

std::vector<Int3> int3s_of(const Json& j) {
  if (!j.is_array()) throw std::runtime_error("a list of three integers each is wanted");
  std::vector<Int3> out;
  for (auto& v : j) {
    if (!v.is_array() || v.size() != 3) throw std::runtime_error("entry " + v.dump() + " is not of three integers");
    out.push_back({whole(v[0]), whole(v[1]), whole(v[2])});
  }
  return out;
}

}  // namespace

UNetConfig UNetConfig::plain(const Preset& p) {
  UNetConfig c = preset(p);
  c.encoder_depth.assign(size_t(p.stages), 2);
  c.decoder_depth.assign(size_t(p.stages - 1), 2);
  return c;
}

UNetConfig UNetConfig::residual_encoder(const Preset& p) {
  UNetConfig c = preset(p);
  c.residual = true;
  constexpr int kBlocks[] = {1, 3, 4, 6};
  for (int s = 0; s < p.stages; ++s) c.encoder_depth.push_back(kBlocks[std::min(s, 3)]);
  c.decoder_depth.assign(size_t(p.stages - 1), 1);
  return c;
}

Int3 UNetConfig::divisor() const {
  Int3 out{1, 1, 1};
  for (auto& s : strides)
    for (int a = 0; a < 3; ++a) out[a] *= s[a];
  return out;
}

double UNetConfig::least_weights() const {
  const auto taps = [&](size_t s) { return double(kernels[s].d) * kernels[s].h * kernels[s].w; };
  double n = 0;
  for (size_t s = 0; s < features.size(); ++s) {
    const double out = features[s], in = std::min<double>(out, s > 0 ? features[s - 1] : in_channels);
    n += taps(s) * out * (in + (encoder_depth[s] - 1.0) * out);
    if (s + 1 < features.size()) n += taps(s) * out * out * decoder_depth[features.size() - 2 - s];
  }
  return n;
}

void UNetConfig::validate() const {
  const size_t n = features.size();
  check(in_channels > 0, "UNetConfig: in_channels is ", in_channels);
  check(classes > 0, "UNetConfig: classes is ", classes);
  check(n >= 2, "UNetConfig: features has ", n, " entries, at least two stages are wanted");
  const auto check_size = [&](const char* what, size_t size, size_t wanted) {
    check(size == wanted, "UNetConfig: ", what, " has ", size, " entries, beside ", n, " features ", wanted, " are wanted");
  };
  check_size("kernels", kernels.size(), n);
  check_size("strides", strides.size(), n);
  check_size("encoder_depth", encoder_depth.size(), n);
  check_size("decoder_depth", decoder_depth.size(), n - 1);
  for (size_t s = 0; s < n; ++s) {
    check(features[s] > 0, "UNetConfig: features[", s, "] is ", features[s]);
    check(encoder_depth[s] > 0, "UNetConfig: encoder_depth[", s, "] is ", encoder_depth[s]);
    check(s + 1 == n || decoder_depth[s] > 0, "UNetConfig: decoder_depth[", s, "] is ", s + 1 == n ? 0 : decoder_depth[s]);
    check(norm != NormKind::group || (groups > 0 && features[s] % groups == 0), "UNetConfig: groups ", groups, " does not divide features[",
          s, "] ", features[s]);
    for (int a = 0; a < 3; ++a) {
      check(kernels[s][a] > 0 && kernels[s][a] % 2 == 1, "UNetConfig: kernels[", s, "] is ", kernels[s], ", odd extents are wanted");
      check(strides[s][a] > 0, "UNetConfig: strides[", s, "] is ", strides[s]);
      check(s > 0 || strides[s][a] == 1, "UNetConfig: strides[0] is ", strides[0], ", the first stage is at full resolution: 1x1x1");
      check(strides[s][a] <= kernels[s][a], "UNetConfig: strides[", s, "] ", strides[s], " skips voxels of the kernel ", kernels[s]);
    }
  }
}

NetworkTraits traits_of(const UNetConfig& c) {
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = c.divisor()};
}

nlohmann::ordered_json to_json(const UNetConfig& c) {
  Json out{{"in_channels", c.in_channels},
              {"classes", c.classes},
              {"features", c.features},
              {"kernels", json_of(c.kernels)},
              {"strides", json_of(c.strides)},
              {"encoder_depth", c.encoder_depth},
              {"decoder_depth", c.decoder_depth},
              {"residual", c.residual},
              {"deep_supervision", c.deep_supervision},
              {"norm", name_of(c.norm)},
              {"groups", c.groups},
              {"activation", kActivations[int(c.activation.kind)]},
              {"slope", c.activation.slope}};
  if (!c.bias) out["bias"] = false;  // not said otherwise, as before there was the key
  return out;
}

UNetConfig unet_config_from_json(const nlohmann::ordered_json& j) {
  check(j.is_object(), "UNetConfig: a JSON object is wanted");
  UNetConfig c;
  Json known = to_json(c);
  known["bias"] = c.bias;
  for (auto& [key, value] : j.items()) {
    check(known.contains(key), "UNetConfig: unknown key \"", key, "\"");
    const Json& like = known[key];
    check(value.type() == like.type() || (value.is_number() && like.is_number()), "UNetConfig: the value of \"", key, "\" is ",
          value.dump(), ", which is a ", value.type_name(), ", wanted a ", like.type_name());
    try {
      if (key == "in_channels") c.in_channels = whole(value);
      else if (key == "classes") c.classes = whole(value);
      else if (key == "features") c.features = whole_numbers(value);
      else if (key == "kernels") c.kernels = int3s_of(value);
      else if (key == "strides") c.strides = int3s_of(value);
      else if (key == "encoder_depth") c.encoder_depth = whole_numbers(value);
      else if (key == "decoder_depth") c.decoder_depth = whole_numbers(value);
      else if (key == "residual") c.residual = value.get<bool>();
      else if (key == "deep_supervision") c.deep_supervision = value.get<bool>();
      else if (key == "norm") c.norm = norm_kind_of(value.get<std::string>());
      else if (key == "groups") c.groups = whole(value);
      else if (key == "activation") c.activation.kind = ActivationKind(index_of(kActivations, value.get<std::string>(), "activation"));
      else if (key == "bias") c.bias = value.get<bool>();
      else if (key == "slope") c.activation.slope = value.get<double>();
    } catch (const Error&) { throw; } catch (const std::exception& e) {
      fail("UNetConfig: the value of \"", key, "\" is ", value.dump(), ": ", e.what());
    }
  }
  c.validate();
  return c;
}

}  // namespace voxgrad
