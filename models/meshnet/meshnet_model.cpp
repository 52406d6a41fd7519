#include <algorithm>
#include <cmath>

#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/meshnet/meshnet.h"
#include "models/slab_outputs.h"

namespace voxgrad {
namespace {

constexpr double kMostMeshVoxels = 64. * 64 * 64;  // of a planned patch: every layer is at full resolution

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(MeshNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integer("features", c.features, 1, 4096, "channels of every layer but the last");
  t.integers("dilations", c.dilations, 1, 256, "of the convolutions, one after the other");
  t.choice("norm", c.norm, {"none", "batch", "instance"}, "behind each of them");
  t.flag("bias", c.bias, "");
  t.flag("flat", c.flat, "");
  return t;
}

void add_keys(ConfigTable& t, MeshNetConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_meshnet(MeshNetConfig c, const PlanRequest& r) {
  Int3 patch;
  double voxels = 1;
  for (int a = 0; a < 3; ++a) {
    patch[a] = r.patch[a] > 0 ? r.patch[a] : std::max(1, int(std::lround(r.extent[size_t(a)])));
    voxels *= patch[a];
  }
  const double shrink = std::min(1.0, std::cbrt(kMostMeshVoxels / voxels));
  for (int a = 0; a < 3; ++a)
    if (r.patch[a] == 0) patch[a] = std::max(1, int(patch[a] * shrink));
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.flat = patch.d == 1;
  return {to_json_text(c), patch};
}

}  // namespace

std::string to_json_text(const MeshNetConfig& c) {
  MeshNetConfig copy = c;
  return json_text_of("meshnet", keys_of(copy));
}

MeshNetConfig meshnet_config_from_json(const Json& j) {
  MeshNetConfig c;
  set_fields(keys_of(c), j, "MeshNetConfig");
  check(!c.dilations.empty() && c.dilations.size() <= 100, "MeshNetConfig: ", c.dilations.size(), " dilations, 1 to 100 are possible");
  return c;
}

NetworkTraits traits_of(const MeshNetConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes}; }

MeshNet::MeshNet(const MeshNetConfig& c, Rng& rng) : config(c) {
  for (int dilation : c.dilations) {
    const int along_d = c.flat ? 1 : dilation;
    blocks.emplace_back(BlockLayer{.in = blocks.empty() ? c.in_channels : c.features,
                                   .out = c.features,
                                   .kernel = {c.flat ? 1 : 3, 3, 3},
                                   .dilation = {along_d, dilation, dilation},
                                   .bias = c.bias,
                                   .norm = norm_kind_of(c.norm),
                                   .activation = {ActivationKind::relu}},
                        rng);
  }
  head = Conv3d({.in = c.features, .out = c.classes, .kernel = {1, 1, 1}}, rng);
}

Tensor MeshNet::operator()(const Tensor& x) const {
  ConvSource y = {x};
  for (const ConvBlock& b : blocks) y = b.lazily({y});
  return head(y);
}

SlabOutputs MeshNet::in_slabs(const Tensor& x) const {
  ConvSource y = {x};
  for (const ConvBlock& b : blocks) y = b.lazily({y});
  return slabs_of(y, head);
}

ModelEntry meshnet_model() {
  return {.name = "meshnet",
          .summary = "dilated convolutions at full resolution (Fedorov et al. 2017), a few thousand weights",
          .options = [] { return Options::of<MeshNetConfig>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_meshnet(o.as<MeshNetConfig>(), r); },
          .build = built_from<MeshNet>(meshnet_config_from_json),
          .traits = traits_from(meshnet_config_from_json),
          .least_weights =
              [](const Json& j) {
                const MeshNetConfig c = meshnet_config_from_json(j);
                return double(c.dilations.size() - 1) * 9 * c.features * c.features;
              }};
}

}  // namespace voxgrad
