// Hostile values in what describes a model, its plan and its weights, and in what lies beside images.
#include "core/config/json_values.h"
#include "data/dataset.h"
#include "data/description.h"
#include "data/fingerprint.h"
#include "infer/nnunet/nnunet.h"
#include "infer/weights/weight_rules.h"
#include "io/checkpoint.h"
#include "io/image.h"
#include "io/json_file.h"
#include "io/weights/weights.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/hostile_json.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// An Error of the reader, which begins with the words of who it is.
template <class Read>
int refused_by_name(const Json& good, const std::string& who, Read&& read) {
  read(good);
  return refused_variants(good, [&](const Json& bad) {
    const std::string message = error_of([&] { read(bad); });
    REQUIRE((message.empty() || message.starts_with(who)));
    REQUIRE_THAT(message, !Contains("json.exception"));
    if (!message.empty()) fail(message);
  });
}
}  // namespace

TEST_CASE("hostile descriptions of models with every key are refused") {
  const UNetConfig network = UNetConfig::plain({.in_channels = 3, .classes = 2, .stages = 2, .base_features = 4});
  ModelDescription d{.network = to_json(network).dump(), .patch = {8, 8, 8}, .channels = {"a"}, .labels = {"background", "b"}};
  d.normalization = {{.kind = "ct", .mean = 1, .std = 2, .low = 0, .high = 9, .mask = true}};
  d.orientation = "file", d.axis_order = {1, 0, 2}, d.crop = true, d.crop_positive = true, d.resampling = "nnunet";
  d.flip_axes = {true, false, true}, d.resample_first = true, d.mirror_axes = {true, false, false};
  d.previous_labels = {1, 4}, d.tile_places = "stepped", d.tile_weights = "floored", d.restoring = "labels";
  const Json good = to_json(d);
  CHECK(to_json(description_from_json(good)) == good);
  CHECK(refused_by_name(good, "", [](const Json& bad) { description_from_json(bad); }) > 500);
  for (const char* labels : {"[1]", "[4, 1]", "[1, 1]", "[0, 1]", "[1, 255]"}) {
    Json bad = good;
    bad["previous_labels"] = Json::parse(labels);
    CHECK_THAT(error_of([&] { description_from_json(bad); }), Contains("previous"));
  }
}

TEST_CASE("hostile regions and ignored labels of a dataset.json are refused") {
  const TemporaryFolder folder;
  put_bytes(folder / "a.nii", ""), put_bytes(folder / "b.nii", ""), put_bytes(folder / "c.nii", "");
  const Json good = Json::parse(R"({"channel_names": {"0": "CT", "1": "noNorm"}, "file_ending": ".nii", "numTraining": 1,
    "labels": {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}, "regions_class_order": [1, 2],
    "use_mask_for_norm": true, "overwrite_image_reader_writer": "SimpleITKIO",
    "training": [{"image": ["a.nii", "b.nii"], "label": "c.nii"}], "test": [["a.nii", "b.nii"]]})");
  CHECK(refused_by_name(good, folder.path().string(), [&](const Json& bad) {
          write_json(folder / "dataset.json", bad);
          read_dataset(folder.path());
        }) > 200);
}

TEST_CASE("hostile fingerprints, plans and rules are refused") {
  const Fingerprint print{.extents = {{8, 9, 10}},
                          .spacings = {{1, 1, 2}},
                          .cropped = {{8, 9, 10}},
                          .foreground = {{"ct", 50, 20, -10, 200}},
                          .spread = {{-20, 40, 300}}};
  CHECK(refused_by_name(to_json(print), "f.json", [](const Json& bad) { fingerprint_from_json(bad, "f.json"); }) > 100);
  const Json plans = Json::parse(R"({"image_reader_writer": "SimpleITKIO", "transpose_forward": [1, 0, 2],
    "foreground_intensity_properties_per_channel": {"0": {"mean": 9, "std": 4, "percentile_00_5": 1, "percentile_99_5": 17}},
    "configurations": {"low": {"patch_size": [8, 16, 16], "spacing": [3, 1, 1], "normalization_schemes": ["CTNormalization"],
      "use_mask_for_norm": [false], "architecture": {"network_class_name": "a.PlainConvUNet", "arch_kwargs": {"n_stages": 2,
        "features_per_stage": [4, 8], "kernel_sizes": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]], "n_conv_per_stage": 2,
        "n_conv_per_stage_decoder": 2, "norm_op": "InstanceNorm3d"}}}, "full": {"inherits_from": "low", "previous_stage": "low"}}})");
  const Json dataset = Json::parse(R"({"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 2}})");
  CHECK(nnunet_description(plans, dataset, "full", "p.json").previous_labels == std::vector<int>{1, 2});
  CHECK(refused_by_name(plans, "p.json", [&](const Json& bad) { nnunet_description(bad, dataset, "full", "p.json"); }) > 300);
  const Json rules = Json::parse(R"([{"from": "a.*", "to": ["b.$1", "c"], "layout": "channels_first", "axes": 2},
    {"from": "**", "skip": "why"}, {"from": "x", "to": "y", "squeeze": [0], "unsqueeze": [1], "permute": [0, 1], "flip": [2]}])");
  CHECK(refused_by_name(rules, "r.json", [](const Json& bad) { weight_rules(bad, "r.json"); }) > 100);
}

TEST_CASE("hostile indices of weights in several files are refused") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    Checkpoint c;
    c.tensors.push_back({name, Tensor::zeros({2})});
    save_checkpoint(folder / (name + std::string(".safetensors")), c);
  }
  const auto file = folder / "model.safetensors.index.json";
  const Json good = Json::parse(R"({"metadata": {"total_size": 16}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})");
  CHECK(refused_by_name(good, folder.path().string(), [&](const Json& bad) {
          write_json(file, bad);
          const auto weights = open_weights(file);
          for (size_t i = 0; i < weights->list().size(); ++i) weights->load(i);
        }) > 40);
}

#ifdef VOXGRAD_WITH_ITK
TEST_CASE("hostile spacings beside a TIFF file are refused") {
  const TemporaryFolder folder;
  write_volume(folder / "c_0000.tif", {Tensor::zeros({2, 3, 4, 1}, DType::u8), Affine::scaling({1, 1, 1})});
  CHECK(refused_by_name(Json{{"spacing", {5, 0.5, 0.25}}}, folder.path().string(), [&](const Json& bad) {
          write_json(folder / "c.json", bad);
          read_header(folder / "c_0000.tif");
        }) > 20);
}
#endif
