// JSON: documents, and what is made of them: keys of a configuration, networks and descriptions in checkpoints, plans of nnU-Net, rules for
// weights.

#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "core/config/options.h"
#include "data/description.h"
#include "infer/nnunet/nnunet.h"
#include "infer/weights/weight_rules.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "models/unet/unet.h"
#include "tests/fuzz/fuzz.h"

namespace voxgrad {

// The one network of this program, which is only described.
Registry<ModelEntry>& model_registry() {
  static Registry<ModelEntry> all("network",
                                  {{.name = "unet", .traits = [](const Json& j) { return traits_of(unet_config_from_json(j)); }}});
  return all;
}

namespace {

struct Every {
  double number = 0.5;
  int64_t integer = 3;
  bool flag = false;
  std::string word = "a";
  int size = 1;
  Int3 extents = {1, 2, 3};
  std::vector<int> integers = {1};
  std::vector<double> spacing = {1, 1, 1};
  Range range = {0, 1};
};
void add_keys(ConfigTable& t, Every& e) {
  t.number("number", e.number, 0, 1, "");
  t.integer("integer", e.integer, -5, 5, "");
  t.flag("flag", e.flag, "");
  t.choice("word", e.word, {"a", "b"}, "");
  t.choice("size", e.size, {1, 2}, "");
  t.extents("extents", e.extents, 0, 9, "");
  t.integers("integers", e.integers, 0, 9, "");
  t.spacing("spacing", e.spacing, "");
  t.range("range", e.range, 0, 1, "");
}

const char* const kPlans = R"({"dataset": {"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1}}, "plans": {
  "image_reader_writer": "SimpleITKIO", "transpose_forward": [1, 0, 2],
  "foreground_intensity_properties_per_channel": {"0": {"mean": 9, "std": 4, "percentile_00_5": 1, "percentile_99_5": 17}},
  "configurations": {"x": {"patch_size": [8, 16, 16], "spacing": [3, 1, 1], "normalization_schemes": ["CTNormalization"],
    "use_mask_for_norm": [false], "architecture": {"network_class_name": "a.PlainConvUNet", "arch_kwargs": {"n_stages": 2,
      "features_per_stage": [4, 8], "kernel_sizes": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]], "n_conv_per_stage": 2,
      "n_conv_per_stage_decoder": 2, "norm_op": "InstanceNorm3d"}}}, "3d": {"inherits_from": "x"}}}})";
const char* const kOldPlans = R"({"dataset": {"modality": {"0": "MR"}, "labels": {"background": 0, "a": 1, "ignore": 2}}, "plans": {
  "image_reader_writer": "NibabelIOWithReorient", "transpose_forward": [0, 1, 2], "configurations": {"3d": {"patch_size": [16, 8],
    "spacing": [1, 1.5], "normalization_schemes": ["NoNormalization"], "use_mask_for_norm": [false], "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 4, "unet_max_num_features": 6, "conv_kernel_sizes": [[3, 3], [3, 3]], "pool_op_kernel_sizes": [[1, 1],
    [2, 2]], "n_conv_per_stage_encoder": [2, 2], "n_conv_per_stage_decoder": [2]}}}})";

std::string description_seed() {
  const UNetConfig c = UNetConfig::plain({.stages = 2, .base_features = 4});
  ModelDescription d{
      .network = to_json(c).dump(), .patch = {8, 8, 8}, .normalization = {{.kind = "ct"}}, .channels = {"a"}, .labels = {"b", "c"}};
  d.crop = true;
  return to_json(d).dump();
}

FuzzTarget json(const std::string& name, std::function<void(const Json&)> read, const std::vector<std::string>& seeds) {
  return {.name = name, .run = [read](const std::string& bytes) { read(parse_json(bytes, "fuzz")); }, .seeds = [seeds] { return seeds; }};
}

}  // namespace

std::vector<FuzzTarget> json_targets() {
  return {json("json", [](const Json& j) { json_text(j); }, {R"({"a": [1, -2.5e3, true, null, "\u00e9\n"], "b": {}})"}),
          json("json_config", [](const Json& j) { Options::of<Every>(add_keys).set(j, "fuzz"); },
               {Options::of<Every>(add_keys).to_json().dump()}),
          json("json_model", [](const Json& j) { to_json(description_from_json(j)); }, {description_seed()}),
          json("json_plans",
               [](const Json& j) {
                 if (j.is_object() && j.contains("plans") && j.contains("dataset"))
                   nnunet_description(j["plans"], j["dataset"], "3d", "fuzz");
               },
               {kPlans, kOldPlans}),
          json("json_rules", [](const Json& j) { weight_rules(j, "fuzz"); },
               {R"([{"from": "a.*", "to": ["b.$1", "c"], "layout": "channels_first", "axes": 2}, {"from": "**", "skip": "why"},
                   {"from": "x", "to": "y", "squeeze": [0], "unsqueeze": [1], "permute": [0, 1], "flip": [2]}])"})};
}

}  // namespace voxgrad
