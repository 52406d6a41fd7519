// What plans.json and dataset.json of nnU-Net 2.0 to 2.8 say.
#include <algorithm>
#include <utility>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/label_map.h"
#include "infer/nnunet/nnunet.h"
#include "io/json_fields.h"

namespace voxgrad {
namespace {

// One number for each stage, or one for all.
std::vector<int> per_stage(const Json& j, size_t stages, const std::string& who) {
  if (!j.is_array()) return std::vector<int>(stages, whole_of(j, who));
  std::vector<int> out;
  for (auto& v : j) out.push_back(whole_of(v, who));
  check(out.size() == stages, who, ": has ", out.size(), " entries, wanted ", stages);
  return out;
}

// {2, 2} of a network for slices is {1, 2, 2} here.
Int3 with_depth(const Json& j, const std::string& who) {
  check(j.is_array() && (j.size() == 2 || j.size() == 3), who, ": is ", j.dump().substr(0, 60), ", wanted two or three integers");
  Int3 out = {1, 1, 1};
  for (size_t i = 0; i < j.size(); ++i) out[int(3 - j.size() + i)] = whole_of(j[i], who);
  return out;
}

std::vector<Int3> int3s(const Json& j, const std::string& who) {
  check(j.is_array(), who, ": wanted a list");
  std::vector<Int3> out;
  for (auto& v : j) out.push_back(with_depth(v, who));
  return out;
}

}  // namespace

Json nnunet_configuration(const Json& plans, const std::string& name, const std::string& who) {
  const Json& all = field(plans, "configurations", who);
  std::string next = name;
  Json out = Json::object();
  for (int depth = 0; !next.empty(); ++depth) {
    check(depth < 8, who, ": the configuration ", name, " inherits from itself");
    check(all.is_object() && all.contains(next), who, ": has no configuration \"", next, "\"");
    const Json& c = all[next];
    check(c.is_object(), who, ": the configuration \"", next, "\" is no object");
    for (auto& [key, value] : c.items())
      if (!out.contains(key)) out[key] = value;
    next = c.contains("inherits_from") ? text_of(c["inherits_from"], who + ": inherits_from") : "";
  }
  return out;
}

namespace {

// Refuses arguments that would make another network.
void check_kinds(const Json& a, const std::string& who) {
  const auto is_one_of = [&](const char* key, std::initializer_list<const char*> wanted) {
    if (!a.contains(key) || a[key].is_null()) return std::string();
    const std::string value = text_of(a[key], who + ": " + key), name = value.substr(value.rfind('.') + 1);
    for (const char* w : wanted)
      if (name == w) return name;
    fail(who, ": its ", key, " is ", value, ", which is not read; ", *wanted.begin(), " is");
  };
  check(!is_one_of("norm_op", {"InstanceNorm3d", "InstanceNorm2d"}).empty(), who, ": networks without a norm are not read");
  is_one_of("conv_op", {"Conv3d", "Conv2d"});
  is_one_of("nonlin", {"LeakyReLU"});
  check(!a.contains("dropout_op") || a["dropout_op"].is_null(), who, ": networks with dropout are not read");
  check(!a.value("nonlin_first", false), who, ": networks with nonlin_first are not read");
  const Json kwargs = a.value("norm_op_kwargs", Json::object());
  check(kwargs.is_object() && kwargs.value("affine", true) && std::abs(kwargs.value("eps", 1e-5) - 1e-5) < 1e-12, who,
        ": its norm_op_kwargs are ", kwargs.dump(), ", wanted affine with eps 1e-5");
  for (const char* key : {"block", "bottleneck_channels", "stem_channels"})
    check(!a.contains(key) || a[key].is_null(), who, ": networks with their own ", key, " are not read");
}

// Of plans since 2.2.
UNetConfig from_architecture(const Json& architecture, const std::string& who) {
  const std::string full = text_of(field(architecture, "network_class_name", who), who), kind = full.substr(full.rfind('.') + 1);
  const bool residual = kind == "ResidualEncoderUNet";
  check(residual || kind == "PlainConvUNet", who, ": the network is ", full, ", PlainConvUNet and ResidualEncoderUNet are read");
  const Json& a = field(architecture, "arch_kwargs", who);
  check_kinds(a, who);
  UNetConfig c;
  c.residual = residual;
  const size_t stages = size_t(std::clamp(whole_of(field(a, "n_stages", who), who + ": n_stages"), 0, 64));
  c.features = per_stage(field(a, "features_per_stage", who), stages, who + ": features_per_stage");
  c.kernels = int3s(field(a, "kernel_sizes", who), who + ": kernel_sizes");
  c.strides = int3s(field(a, "strides", who), who + ": strides");
  const char* depth = residual ? "n_blocks_per_stage" : "n_conv_per_stage";
  c.encoder_depth = per_stage(field(a, depth, who), stages, who + ": " + depth);
  c.decoder_depth =
      per_stage(field(a, "n_conv_per_stage_decoder", who), std::max<size_t>(stages, 1) - 1, who + ": n_conv_per_stage_decoder");
  c.bias = a.value("conv_bias", false);
  const Json nonlin = a.value("nonlin_kwargs", Json::object());
  c.activation.slope = nonlin.is_object() ? nonlin.value("negative_slope", 0.01) : 0.01;
  return c;
}

// Of plans of 2.0 and 2.1.
UNetConfig from_old_plans(const Json& j, const std::string& who) {
  const std::string kind = text_of(field(j, "UNet_class_name", who), who);
  UNetConfig c;
  c.residual = kind == "ResidualEncoderUNet";
  check(c.residual || kind == "PlainConvUNet", who, ": the network is ", kind, ", PlainConvUNet and ResidualEncoderUNet are read");
  c.kernels = int3s(field(j, "conv_kernel_sizes", who), who + ": conv_kernel_sizes");
  c.strides = int3s(field(j, "pool_op_kernel_sizes", who), who + ": pool_op_kernel_sizes");
  const int64_t base = whole_of(field(j, "UNet_base_num_features", who), who), most = whole_of(field(j, "unet_max_num_features", who), who);
  check(c.kernels.size() <= 20 && base > 0 && most > 0, who, ": ", c.kernels.size(), " stages of ", base, " to ", most, " features");
  for (size_t s = 0; s < c.kernels.size(); ++s) c.features.push_back(int(std::min(most, base << s)));
  const size_t stages = c.features.size();
  c.encoder_depth = per_stage(field(j, "n_conv_per_stage_encoder", who), stages, who + ": n_conv_per_stage_encoder");
  c.decoder_depth =
      per_stage(field(j, "n_conv_per_stage_decoder", who), std::max<size_t>(stages, 1) - 1, who + ": n_conv_per_stage_decoder");
  return c;
}

std::vector<std::string> channels_of(const Json& dataset, const std::string& who) {
  const Json& names = dataset.contains("channel_names") ? dataset["channel_names"] : field(dataset, "modality", who);
  check(names.is_object() && !names.empty(), who, ": channel_names is no object");
  std::vector<std::string> out;
  for (size_t i = 0; i < names.size(); ++i)
    out.push_back(text_of(field(names, std::to_string(i), who + ": channel_names"), who + ": channel_names"));
  return out;
}

Normalization normalization_of(const Json& scheme, const Json& mask, const Json& plans, size_t channel, const std::string& who) {
  static constexpr std::pair<const char*, const char*> kinds[] = {{"ZScoreNormalization", "zscore"},
                                                                  {"CTNormalization", "ct"},
                                                                  {"NoNormalization", "none"},
                                                                  {"RescaleTo01Normalization", "rescale_to_0_1"},
                                                                  {"RGBTo01Normalization", "rgb_to_0_1"}};
  const std::string name = text_of(scheme, who + ": normalization_schemes");
  const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](auto& k) { return name == k.first; });
  check(found != std::end(kinds), who, ": the normalisation ", name, " is not read");
  Normalization n{.kind = found->second, .mask = mask.is_boolean() && mask.get<bool>()};
  if (n.kind != "ct") return n;
  const Json& all = field(plans, "foreground_intensity_properties_per_channel", who);
  const std::string what = who + ": foreground_intensity_properties_per_channel";
  const Json& p = field(all, std::to_string(channel), what);
  n.mean = number_of(field(p, "mean", what), what);
  n.std = number_of(field(p, "std", what), what);
  n.low = number_of(field(p, "percentile_00_5", what), what);
  n.high = number_of(field(p, "percentile_99_5", what), what);
  return n;
}

}  // namespace

UNetConfig nnunet_network(const Json& plans, const std::string& configuration, int in_channels, int classes, const std::string& who) {
  const Json j = nnunet_configuration(plans, configuration, who);
  const std::string what = who + ": " + configuration;
  UNetConfig c = j.contains("architecture") ? from_architecture(j["architecture"], what) : from_old_plans(j, what);
  c.in_channels = in_channels;
  c.classes = classes;
  try {
    c.validate();
  } catch (const Error& e) { fail(what, ": ", e.what()); }
  return c;
}

ModelDescription nnunet_description(const Json& plans, const Json& dataset, const std::string& configuration, const std::string& who) {
  return nnunet_description(plans, channels_of(dataset, who), labels_of(dataset, who), configuration, who);
}

ModelDescription nnunet_description(const Json& plans, const std::vector<std::string>& channels, const Labels& labels,
                                    const std::string& configuration, const std::string& who) {
  const Json j = nnunet_configuration(plans, configuration, who);
  ModelDescription d;
  d.channels = channels;
  d.labels = labels.names;
  const bool second = j.contains("previous_stage") && !j["previous_stage"].is_null();
  if (second) d.previous_labels = foreground_values(labels.map, int(d.labels.size()));
  if (!labels.map.plain() || second) {  // the keys of tasks/segmentation
    Json task{{"kind", "segmentation"}, {"ignore_label", labels.map.ignore}, {"regions", json_of_regions(labels.map.regions)}};
    if (second) task["previous_labels"] = d.previous_labels;
    d.task = task.dump();
  }
  const int inputs = int(d.channels.size() + d.previous_labels.size());
  const UNetConfig c = nnunet_network(plans, configuration, inputs, int(d.labels.size()), who);
  d.network = to_json(c).dump();
  d.traits = traits_of(c);
  d.patch = with_depth(field(j, "patch_size", who), who + ": patch_size");
  const Json& spacing = field(j, "spacing", who);
  check(spacing.is_array() && (spacing.size() == 2 || spacing.size() == 3), who, ": the spacing is ", spacing.dump());
  d.spacing[0] = 0;  // of a network for slices: as in the file
  for (size_t i = 0; i < spacing.size(); ++i) d.spacing[3 - spacing.size() + i] = number_of(spacing[i], who + ": spacing");
  const Json schemes = field(j, "normalization_schemes", who), masks = field(j, "use_mask_for_norm", who);
  check(schemes.is_array() && masks.is_array() && schemes.size() == d.channels.size() && masks.size() == schemes.size(), who,
        ": wanted one normalisation for each of ", d.channels.size(), " channels");
  for (size_t i = 0; i < schemes.size(); ++i) d.normalization.push_back(normalization_of(schemes[i], masks[i], plans, i, who));
  const Json& order = field(plans, "transpose_forward", who);
  check(order.is_array() && order.size() == 3, who, ": transpose_forward is ", order.dump());
  for (size_t a = 0; a < 3; ++a) d.axis_order[a] = whole_of(order[a], who + ": transpose_forward");
  const std::string reader = text_of(field(plans, "image_reader_writer", who), who + ": image_reader_writer");
  d.orientation = reader.ends_with("WithReorient") ? "canonical" : "file";
  d.crop = true;
  d.resampling = "nnunet";
  d.nan = "zero";
  d.mirror = true;
  return d;
}

}  // namespace voxgrad
