#include "core/config/json_values.h"
#include "models/configured_model.h"
#include "models/encoder/staged_network.h"
#include "models/keyed_config.h"
#include "models/res_unet/res_unet.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(ResUNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  t.integers("channels", c.channels, 1, 1 << 14, "of the levels; the last one is the bottom");
  t.integers("strides", c.strides, 1, 16, "of all levels but the bottom");
  t.integer("units", c.units, 0, 16, "convolutions of a block, to which its input is added; 0: one, and nothing is added");
  t.integer("kernel", c.kernel, 1, 15, "of the convolutions");
  t.integer("up_kernel", c.up_kernel, 1, 15, "of the transposed convolutions");
  t.choice("norm", c.norm, {"none", "instance", "batch"}, "behind each of them");
  t.flag("affine", c.affine, "whether an instance norm has a scale and a shift");
  t.choice("activation", c.activation, {"prelu", "relu"}, "behind that");
  t.flag("bias", c.bias, "");
  t.flag("flat", c.flat, "");
  return t;
}

void add_keys(ConfigTable& t, ResUNetConfig& c) { add_documented(t, keys_of(c)); }

NetworkPlan plan_res_unet(const Options& o, const PlanRequest& r) { return planned_volumes(o.as<ResUNetConfig>(), r, kMostPatchVoxels); }

}  // namespace

void validate(const ResUNetConfig& c) {
  const size_t levels = c.channels.size();
  check(levels >= 2 && levels <= 12, "ResUNetConfig: channels has ", levels, " entries, 2 to 12 are possible");
  check(c.strides.size() + 1 == levels, "ResUNetConfig: strides has ", c.strides.size(), " entries, beside ", levels, " channels ",
        levels - 1, " are wanted");
  check(c.kernel % 2 == 1 && c.up_kernel % 2 == 1, "ResUNetConfig: the kernels ", c.kernel, " and ", c.up_kernel, " are not odd");
  int64_t product = 1;
  for (int s : c.strides) {
    check(s <= c.kernel && s <= c.up_kernel, "ResUNetConfig: a stride of ", s, " skips voxels of the kernels");
    product *= s;
    check(product <= 1 << 20, "ResUNetConfig: the strides divide by more than 2^20");
  }
}

std::string to_json_text(const ResUNetConfig& c) {
  ResUNetConfig copy = c;
  return json_text_of("res_unet", keys_of(copy));
}

ResUNetConfig res_unet_config_from_json(const Json& j) {
  ResUNetConfig c;
  set_fields(keys_of(c), j, "ResUNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const ResUNetConfig& c) {
  int divisor = 1;
  for (int s : c.strides) divisor *= s;
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = {c.flat ? 1 : divisor, divisor, divisor}};
}

namespace {

double weights_on_the_way_down(const ResUNetConfig& c) {
  double n = 0;
  for (size_t i = 1; i < c.channels.size(); ++i)
    n += double(c.kernel) * c.kernel * c.channels[i] * (c.channels[i - 1] + std::max(0.0, c.units - 1.0) * c.channels[i]);
  return n;
}

std::vector<EncoderStage> res_unet_stages(const ResUNetConfig& c) {
  std::vector<EncoderStage> out;
  const auto along = [&](int n) { return Int3{c.flat ? 1 : n, n, n}; };
  for (size_t i = 0; i < c.strides.size(); ++i)
    out.push_back({.channels = c.channels[i], .stride = along(c.strides[i]), .kernel = along(c.kernel)});
  out.back().channels = c.channels.back();
  return joined_stages(out);
}

Options res_unet_options() { return Options::of<ResUNetConfig>(add_keys); }

EncoderEntry res_unet_encoder() {
  return encoder_of<ResUNet, ResUNetConfig>(
      {.options = res_unet_options,
       .plan = plan_res_unet,
       .read = res_unet_config_from_json,
       .stages = res_unet_stages,
       .features = &ResUNet::stages,
       .drop_rest = [](ResUNet& net) { net.up.clear(); },
       .least_weights = weights_on_the_way_down});
}

}  // namespace

ModelEntry res_unet_model() {
  return {.name = "res_unet",
          .summary = "residual U-Net of Kerfoot et al. 2018, MONAI's UNet",
          .options = res_unet_options,
          .plan = plan_res_unet,
          .build = built_from<ResUNet>(res_unet_config_from_json),
          .traits = traits_from(res_unet_config_from_json),
          .least_weights = [](const Json& j) { return weights_on_the_way_down(res_unet_config_from_json(j)); },
          .encoder = res_unet_encoder()};
}

}  // namespace voxgrad
