#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/unet.h"

namespace voxgrad {
namespace {
using Json = nlohmann::ordered_json;

constexpr const char* kNorms[] = {"none", "instance", "batch", "group"};
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

std::vector<Int3> int3s_of(const Json& j) {
  std::vector<Int3> out;
  for (auto& v : j) {
    if (!v.is_array() || v.size() != 3) throw std::runtime_error("entry " + v.dump() + " is not of three integers");
    out.push_back({v[0].get<int>(), v[1].get<int>(), v[2].get<int>()});
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

nlohmann::ordered_json to_json(const UNetConfig& c) {
  return Json{{"in_channels", c.in_channels},
              {"classes", c.classes},
              {"features", c.features},
              {"kernels", json_of(c.kernels)},
              {"strides", json_of(c.strides)},
              {"encoder_depth", c.encoder_depth},
              {"decoder_depth", c.decoder_depth},
              {"residual", c.residual},
              {"deep_supervision", c.deep_supervision},
              {"norm", kNorms[int(c.norm)]},
              {"groups", c.groups},
              {"activation", kActivations[int(c.activation.kind)]},
              {"slope", c.activation.slope}};
}

UNetConfig unet_config_from_json(const nlohmann::ordered_json& j) {
  check(j.is_object(), "UNetConfig: a JSON object is wanted");
  UNetConfig c;
  const Json known = to_json(c);
  for (auto& [key, value] : j.items()) {
    check(known.contains(key), "UNetConfig: unknown key \"", key, "\"");
    try {
      if (key == "in_channels") c.in_channels = value.get<int>();
      else if (key == "classes") c.classes = value.get<int>();
      else if (key == "features") c.features = value.get<std::vector<int>>();
      else if (key == "kernels") c.kernels = int3s_of(value);
      else if (key == "strides") c.strides = int3s_of(value);
      else if (key == "encoder_depth") c.encoder_depth = value.get<std::vector<int>>();
      else if (key == "decoder_depth") c.decoder_depth = value.get<std::vector<int>>();
      else if (key == "residual") c.residual = value.get<bool>();
      else if (key == "deep_supervision") c.deep_supervision = value.get<bool>();
      else if (key == "norm") c.norm = NormKind(index_of(kNorms, value.get<std::string>(), "norm"));
      else if (key == "groups") c.groups = value.get<int>();
      else if (key == "activation") c.activation.kind = ActivationKind(index_of(kActivations, value.get<std::string>(), "activation"));
      else if (key == "slope") c.activation.slope = value.get<double>();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      fail("UNetConfig: the value of \"", key, "\" is ", value.dump(), ": ", e.what());
    }
  }
  c.validate();
  return c;
}

}  // namespace voxgrad
