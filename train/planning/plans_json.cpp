#include "train/planning/plans_json.h"

#include <cmath>
#include <utility>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "models/unet/unet.h"

namespace voxgrad {
namespace {

constexpr std::pair<const char*, const char*> kSchemes[] = {{"zscore", "ZScoreNormalization"},
                                                            {"ct", "CTNormalization"},
                                                            {"none", "NoNormalization"},
                                                            {"rescale_to_0_1", "RescaleTo01Normalization"},
                                                            {"rgb_to_0_1", "RGBTo01Normalization"}};

std::string scheme_of(const Normalization& n) {
  for (auto& [kind, name] : kSchemes)
    if (n.kind == kind) return name;
  fail("plan: nnU-Net has no normalisation \"", n.kind, "\"");
}

UNetConfig unet_of(const NetworkPlan& p) {
  Json j = parse_json(p.config, "the plan");
  j.erase("kind");
  return unet_config_from_json(j);
}

// Without the first axis of a network for slices.
Json without_depth(const Int3& v, bool slices) { return slices ? Json{v.h, v.w} : Json{v.d, v.h, v.w}; }
Json without_depth(const std::array<double, 3>& v, bool slices) { return slices ? Json{v[1], v[2]} : Json{v[0], v[1], v[2]}; }

Json stages_of(const std::vector<Int3>& v, bool slices) {
  Json out = Json::array();
  for (auto& e : v) out.push_back(without_depth(e, slices));
  return out;
}

Json architecture_of(const UNetConfig& c, bool slices) {
  const std::string place = "dynamic_network_architectures.architectures.unet.", axes = slices ? "2d" : "3d";
  return {{"network_class_name", place + (c.residual ? "ResidualEncoderUNet" : "PlainConvUNet")},
          {"arch_kwargs",
           {{"n_stages", c.stages()},
            {"features_per_stage", c.features},
            {"conv_op", "torch.nn.modules.conv.Conv" + axes},
            {"kernel_sizes", stages_of(c.kernels, slices)},
            {"strides", stages_of(c.strides, slices)},
            {c.residual ? "n_blocks_per_stage" : "n_conv_per_stage", c.encoder_depth},
            {"n_conv_per_stage_decoder", c.decoder_depth},
            {"conv_bias", true},
            {"norm_op", "torch.nn.modules.instancenorm.InstanceNorm" + axes},
            {"norm_op_kwargs", {{"eps", 1e-5}, {"affine", true}}},
            {"dropout_op", nullptr},
            {"dropout_op_kwargs", nullptr},
            {"nonlin", "torch.nn.LeakyReLU"},
            {"nonlin_kwargs", {{"inplace", true}}}}},
          {"_kw_requires_import", {"conv_op", "norm_op", "dropout_op", "nonlin"}}};
}

Json resampling(bool labels, int order) {
  return {{"is_seg", labels}, {"order", order}, {"order_z", 0}, {"force_separate_z", nullptr}};
}

Json object_of(const ConfigurationPlan& c, const ExperimentPlan& plan, const std::vector<Normalization>& normalization) {
  const bool slices = c.name == "2d";
  Json schemes = Json::array(), masks = Json::array();
  for (const Normalization& n : normalization) {
    schemes.push_back(scheme_of(n));
    masks.push_back((plan.mask || n.mask) && n.kind == "zscore");
  }
  Json out = {{"data_identifier", "nnUNetPlans_" + c.name},
              {"preprocessor_name", "DefaultPreprocessor"},
              {"batch_size", c.network.batch},
              {"patch_size", without_depth(c.network.patch, slices)},
              {"median_image_size_in_voxels", without_depth(c.median, slices)},
              {"spacing", without_depth(c.spacing, slices)},
              {"normalization_schemes", schemes},
              {"use_mask_for_norm", masks},
              {"resampling_fn_data", "resample_data_or_seg_to_shape"},
              {"resampling_fn_seg", "resample_data_or_seg_to_shape"},
              {"resampling_fn_data_kwargs", resampling(false, 3)},
              {"resampling_fn_seg_kwargs", resampling(true, 1)},
              {"resampling_fn_probabilities", "resample_data_or_seg_to_shape"},
              {"resampling_fn_probabilities_kwargs", resampling(false, 1)},
              {"architecture", architecture_of(unet_of(c.network), slices)},
              {"batch_dice", c.batch_dice}};
  if (c.name == "3d_lowres") out["next_stage"] = "3d_cascade_fullres";
  return out;
}

}  // namespace

Json plans_json(const ExperimentPlan& plan, const Fingerprint& print, const std::string& name,
                const std::vector<Normalization>& normalization) {
  Json configurations = Json::object(), backward = Json::array();
  for (auto& c : plan.configurations) configurations[c.name] = object_of(c, plan, normalization);
  if (plan.cascade()) configurations["3d_cascade_fullres"] = {{"inherits_from", "3d_fullres"}, {"previous_stage", "3d_lowres"}};
  for (int a = 0; a < 3; ++a)
    for (size_t i = 0; i < 3; ++i)
      if (plan.axis_order[i] == a) backward.push_back(i);
  Json extent = Json::array();
  for (double v : plan.median_extent) extent.push_back(int(std::nearbyint(v)));
  return {{"dataset_name", name},
          {"plans_name", "nnUNetPlans"},
          {"original_median_spacing_after_transp", plan.median_spacing},
          {"original_median_shape_after_transp", extent},
          {"image_reader_writer", "NibabelIOWithReorient"},
          {"transpose_forward", plan.axis_order},
          {"transpose_backward", backward},
          {"configurations", configurations},
          {"experiment_planner_used", "voxgrad"},
          {"label_manager", "LabelManager"},
          {"foreground_intensity_properties_per_channel", to_json(print)["foreground_intensity_properties_per_channel"]}};
}

std::string text_of(const ExperimentPlan& plan) {
  std::string out;
  const auto numbers = [](const std::array<double, 3>& v, bool slices) {
    std::string text;
    for (size_t a = slices ? 1 : 0; a < 3; ++a) {
      char number[32];
      std::snprintf(number, sizeof number, "%s%.4g", text.empty() ? "" : " x ", v[a]);
      text += number;
    }
    return text;
  };
  const auto of_int3 = [&](const Int3& v, bool slices) { return numbers({double(v.d), double(v.h), double(v.w)}, slices); };
  const char* axes[] = {"D", "H", "W"};
  if (plan.axis_order[0] != 0) {
    out += "axes of the network: ";
    for (int a : plan.axis_order) out += axes[a];
    out += " of the images, the coarsest first\n";
  }
  for (auto& c : plan.configurations) {
    const bool slices = c.name == "2d";
    const UNetConfig net = unet_of(c.network);
    out += c.name + "\n  target spacing   " + numbers(c.spacing, slices) + " mm" + (slices ? ", slices as they are" : "") +
           "\n  median case      " + numbers(c.median, slices) + " voxels\n  patch            " + of_int3(c.network.patch, slices) +
           "\n  batch            " + std::to_string(c.network.batch) + "\n  halved           " + of_int3(net.divisor(), slices) +
           " in all\n";
    for (int s = 0; s < net.stages(); ++s)
      out += "  stage " + std::to_string(s) + "          stride " + of_int3(net.strides[size_t(s)], slices) + ", kernel " +
             of_int3(net.kernels[size_t(s)], slices) + ", " + std::to_string(net.features[size_t(s)]) + " features\n";
  }
  return out + "cascade            " +
         (plan.cascade() ? "due: a patch of 3d_fullres holds less than a quarter of the median case\n" : "not due\n");
}

}  // namespace voxgrad
