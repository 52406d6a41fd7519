#include "infer/nnunet/nnunet.h"

#include <cstdlib>
#include <iostream>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "infer/model_source.h"
#include "kernels/permute/permute.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
const char* kPlans = R"({
  "image_reader_writer": "SimpleITKIO", "transpose_forward": [1, 0, 2],
  "foreground_intensity_properties_per_channel": {"0": {"mean": 90, "std": 40, "percentile_00_5": 10, "percentile_99_5": 170}},
  "configurations": {"3d_fullres": {
    "patch_size": [8, 16, 16], "spacing": [3, 1, 1.5], "normalization_schemes": ["CTNormalization", "ZScoreNormalization"],
    "use_mask_for_norm": [false, true],
    "architecture": {"network_class_name": "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet", "arch_kwargs": {
      "n_stages": 3, "features_per_stage": [4, 8, 8], "conv_op": "torch.nn.modules.conv.Conv3d",
      "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]], "n_blocks_per_stage": [1, 2, 1],
      "n_conv_per_stage_decoder": [1, 1], "conv_bias": true, "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
      "norm_op_kwargs": {"eps": 1e-05, "affine": true}, "dropout_op": null, "nonlin": "torch.nn.LeakyReLU",
      "nonlin_kwargs": {"inplace": true}}}},
    "3d_bigger": {"inherits_from": "3d_fullres", "patch_size": [8, 32, 32]},
    "cascade": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
    "2d": {"patch_size": [16, 8], "spacing": [1, 1.5], "normalization_schemes": ["NoNormalization", "RGBTo01Normalization"],
      "use_mask_for_norm": [false, false], "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 4, "unet_max_num_features": 6,
      "conv_kernel_sizes": [[3, 3], [3, 3]], "pool_op_kernel_sizes": [[1, 1], [2, 2]], "n_conv_per_stage_encoder": [2, 2],
      "n_conv_per_stage_decoder": [2]}}})";
const char* kDataset = R"({"channel_names": {"0": "CT", "1": "MR"}, "labels": {"background": 0, "b": 2, "a": 1, "ignore": 3},
                          "file_ending": ".nii.gz"})";

ModelDescription described(const std::string& configuration, const Json& change = Json::object()) {
  Json plans = Json::parse(kPlans), dataset = Json::parse(kDataset);
  const auto changed = [&](const std::string& p) -> Json& { return p == "/labels" || p == "/regions_class_order" ? dataset : plans; };
  for (auto& [pointer, value] : change.items()) changed(pointer)[Json::json_pointer(pointer)] = value;
  return nnunet_description(plans, dataset, configuration, "model");
}
std::string nnunet_refusal(const char* pointer, const Json& value) {
  return error_of([&] { described("3d_fullres", {{pointer, value}}); });
}
UNetConfig network_in(const ModelDescription& d) { return unet_config_from_json(Json::parse(d.network)); }

// A model folder with the weights of a network of these plans. The checkpoint is a safetensors file by another name, which is as good.
UNet put_model(const TemporaryFolder& folder, const std::string& configuration, int axes) {
  const fs::path model = folder / ("nnUNetTrainer__nnUNetPlans__" + configuration);
  fs::create_directories(model / "fold_0");
  put_bytes(model / "plans.json", kPlans);
  put_bytes(model / "dataset.json", kDataset);
  Rng rng(7);
  UNet net(network_in(described(configuration)), rng);
  walk(net, [&](const std::string&, Tensor& t) {
    for (float& v : t.mutable_data<float>()) v += 0.1f * rng.normal();
  });
  Checkpoint c = map_weights(Checkpoint{.tensors = state_of(net)}, nnunet_export_rules(net.config, axes), "net").weights;
  for (Parameter& p : c.tensors) p.name = "network_weights." + p.name;
  save_checkpoint(model / "fold_0" / "checkpoint_final.pth", c);
  return net;
}
}  // namespace

TEST_CASE("nnU-Net's plans as a network and a description") {
  const ModelDescription d = described("3d_fullres");
  const UNetConfig c = network_in(d);
  CHECK(c.residual);
  CHECK(c.features == std::vector<int>{4, 8, 8});
  CHECK(c.kernels[0] == Int3{1, 3, 3});
  CHECK(c.strides[1] == Int3{1, 2, 2});
  CHECK(c.encoder_depth == std::vector<int>{1, 2, 1});
  CHECK(c.bias);
  CHECK(d.patch == Int3{8, 16, 16});
  CHECK(d.spacing == std::array<double, 3>{3, 1, 1.5});
  CHECK(d.labels == std::vector<std::string>{"background", "a", "b"});
  CHECK(d.channels == std::vector<std::string>{"CT", "MR"});
  CHECK(d.normalization[0].kind == "ct");
  CHECK(d.normalization[0].high == 170);
  CHECK(d.normalization[1].kind == "zscore");
  CHECK(d.normalization[1].mask);
  CHECK(d.orientation == "file");
  CHECK(d.axis_order == std::array<int, 3>{1, 0, 2});
  CHECK(d.crop);
  CHECK(d.resampling == "nnunet");
  // What a checkpoint of ours keeps of it is all of it.
  CHECK(to_json(description_from_json(to_json(d))) == to_json(d));
  CHECK(described("3d_bigger").patch == Int3{8, 32, 32});
  CHECK(described("3d_fullres", {{"/image_reader_writer", "NibabelIOWithReorient"}}).orientation == "canonical");

  const ModelDescription flat = described("2d");
  CHECK(flat.patch == Int3{1, 16, 8});
  CHECK(flat.spacing == std::array<double, 3>{0, 1, 1.5});
  CHECK(network_in(flat).features == std::vector<int>{4, 6});
  CHECK(network_in(flat).strides[1] == Int3{1, 2, 2});
}

TEST_CASE("regions of an nnU-Net model are outputs in the order of the file, written by regions_class_order") {
  const ModelDescription d =
      described("3d_fullres", {{"/labels", {{"background", 0}, {"whole", {1, 2}}, {"core", 2}}}, {"/regions_class_order", {1, 2}}});
  CHECK(d.labels == std::vector<std::string>{"whole", "core"});
  CHECK(d.traits.out_channels == 2);
  CHECK(Json::parse(d.task) == Json::parse(R"({"kind": "segmentation", "ignore_label": -1, "regions":
      [{"name": "whole", "values": [1, 2], "written": 1}, {"name": "core", "values": [2], "written": 2}]})"));
  CHECK(Json::parse(described("3d_fullres").task)["ignore_label"] == 3);
}

TEST_CASE("the second stage of a cascade of nnU-Net sees the labels of the first one") {
  const ModelDescription d = described("cascade");
  CHECK(d.previous_labels == std::vector<int>{1, 2});  // not what is ignored
  CHECK(d.channels.size() == 2);
  CHECK(d.traits.in_channels == 4);
  CHECK(Json::parse(d.task)["previous_labels"] == Json({1, 2}));
  CHECK(to_json(description_from_json(to_json(d))) == to_json(d));
  const ModelDescription regions =
      described("cascade", {{"/labels", {{"background", 0}, {"whole", {1, 3}}, {"core", 2}}}, {"/regions_class_order", {1, 2}}});
  CHECK(regions.previous_labels == std::vector<int>{1, 2, 3});
  CHECK(regions.traits.in_channels == 5);
  Json bad = to_json(d);
  bad["previous_labels"] = {2, 1};
  CHECK_THAT(error_of([&] { description_from_json(bad); }), Contains("previous_labels has 1"));
}

TEST_CASE("what of nnU-Net is not read is refused by name") {
  const std::string a = "/configurations/3d_fullres/architecture/";
  CHECK_THAT(nnunet_refusal((a + "network_class_name").c_str(), "x.Primus"), Contains("the network is x.Primus"));
  CHECK_THAT(nnunet_refusal((a + "arch_kwargs/norm_op").c_str(), "torch.nn.BatchNorm3d"), Contains("norm_op is torch.nn.BatchNorm3d"));
  CHECK_THAT(nnunet_refusal((a + "arch_kwargs/dropout_op").c_str(), "torch.nn.Dropout3d"), Contains("dropout"));
  CHECK_THAT(nnunet_refusal((a + "arch_kwargs/norm_op_kwargs/eps").c_str(), 0.1), Contains("eps 1e-5"));
  CHECK_THAT(nnunet_refusal((a + "arch_kwargs/n_stages").c_str(), 4), Contains("features_per_stage: has 3 entries, wanted 4"));
  CHECK_THAT(nnunet_refusal((a + "arch_kwargs/strides").c_str(), {{1, 1, 1}}), Contains("strides has 1 entries"));
  CHECK_THAT(nnunet_refusal("/configurations/3d_fullres/normalization_schemes", {"CTNormalization", "Own"}), Contains("normalisation Own"));
  CHECK_THAT(nnunet_refusal("/labels", {{"background", 0}, {"whole", {1, 2}}}), Contains("1 regions") && Contains("regions_class_order"));
  CHECK_THAT(nnunet_refusal("/labels", {{"background", 0}, {"a", 2}}), Contains("1 is missing, 2 is there"));
  CHECK_THAT(nnunet_refusal("/transpose_forward", {0, 0, 1, 2}), Contains("transpose_forward is [0,0,1,2]"));
  CHECK_THAT(error_of([] { described("3d_lowres"); }), Contains("no configuration \"3d_lowres\""));
  CHECK_THAT(nnunet_refusal("/configurations/3d_fullres/inherits_from", "3d_fullres"), Contains("inherits from itself"));
}

TEST_CASE("nnU-Net model folders are loaded, from the folder, a fold or a checkpoint") {
  for (const char* configuration : {"3d_fullres", "2d"}) {
    const TemporaryFolder folder;
    const UNet net = put_model(folder, configuration, configuration[0] - '0');
    const fs::path model = folder / ("nnUNetTrainer__nnUNetPlans__" + std::string(configuration));
    Rng rng(3);
    const Int3 patch = described(configuration).patch;
    const Tensor x = Tensor::empty({1, patch.d, patch.h, patch.w, 2});
    for (float& v : x.mutable_data<float>()) v = rng.normal();
    const Inference quiet;
    for (const fs::path& path : {model, model / "fold_0", model / "fold_0" / "checkpoint_final.pth"}) {
      const Model m = load_model(path);
      CHECK(m.net(x)[0].values() == net(x)[0].values());
    }
    fs::remove(model / "fold_0" / "checkpoint_final.pth");
    CHECK_THAT(error_of([&] { load_model(model); }), Contains("no fold_X in it has a checkpoint_final.pth"));
  }
}

TEST_CASE("of several folds the mean is predicted, or those that are chosen") {
  const TemporaryFolder folder, other;
  const UNet net = put_model(folder, "3d_fullres", 3);
  const fs::path model = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres";
  // Another fold with twice the weights of the last head: twice its logits.
  Checkpoint c = load_checkpoint(model / "fold_0" / "checkpoint_final.pth");
  for (Parameter& p : c.tensors)
    if (p.name.starts_with("network_weights.decoder.seg_layers.1."))
      for (float& v : p.tensor.mutable_data<float>()) v *= 2;
  for (const char* fold : {"fold_1", "fold_all"}) {
    fs::create_directories(model / fold);
    save_checkpoint(model / fold / "checkpoint_final.pth", c);
  }
  const Inference quiet;
  const Tensor x = Tensor::full({1, 8, 16, 16, 2}, 1);
  const std::vector<double> one = net(x)[0].values();
  const auto factor = [&](const std::vector<std::string>& folds) {
    const std::vector<double> y = load_model(model, {.folds = folds}).net(x)[0].values();
    for (size_t i = 0; i < y.size(); ++i) CHECK(std::abs(y[i] * one[0] - y[0] * one[i]) < 1e-4);
    return y[0] / one[0];
  };
  CHECK(std::abs(factor({}) - 1.5) < 1e-5);
  CHECK(std::abs(factor({"0"}) - 1) < 1e-5);
  CHECK(std::abs(factor({"all"}) - 2) < 1e-5);
  CHECK(std::abs(factor({"0", "1", "1"}) - 5 / 3.0) < 1e-5);
  CHECK_THAT(error_of([&] { load_model(model, {.folds = {"2"}}); }), Contains("no checkpoint_final.pth in fold_2"));
  CHECK_THAT(error_of([&] { load_model(model / "fold_0", {.folds = {"1"}}); }), Contains("is one fold"));
}

TEST_CASE("a U-Net without deep supervision gets the heads that PyTorch's network has") {
  Rng rng(1);
  UNetConfig c = UNetConfig::plain({.classes = 3, .stages = 4, .base_features = 2});
  c.deep_supervision = false;
  UNet net(c, rng);
  const std::vector<double> head = net.heads[0].weight.values();
  const Model m{network_of(net), {.network = to_json(c).dump(), .traits = traits_of(c), .patch = {8, 8, 8}}};
  const Checkpoint out = nnunet_weights(m, "model");
  CHECK(out.find("decoder.seg_layers.2.weight")->values() == head);
  CHECK(out.find("decoder.seg_layers.2.weight")->shape() == Shape{3, 2, 1, 1, 1});
  CHECK(out.find("decoder.seg_layers.0.weight")->shape() == Shape{3, 8, 1, 1, 1});
  CHECK(out.find("decoder.seg_layers.1.bias")->values() == std::vector<double>{0, 0, 0});
  const Json said = Json::parse(out.metadata.at("nnunet.network"));
  CHECK(nnunet_network({{"configurations", {{"x", said}}}}, "x", 1, 3, "x").features == c.features);
  c.norm = NormKind::batch;
  const Model other{network_of(UNet(c, rng)), {.network = to_json(c).dump()}};
  CHECK_THAT(error_of([&] { nnunet_weights(other, "model"); }), Contains("instance norm"));
}

TEST_CASE("an nnU-Net checkpoint that does not fit its plans is refused before memory is asked for") {
  const TemporaryFolder folder;
  put_model(folder, "3d_fullres", 3);
  const fs::path model = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres";
  Json plans = Json::parse(kPlans);
  plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["features_per_stage"] = {40000, 80000, 80000};
  put_bytes(model / "plans.json", plans.dump());
  CHECK_THAT(error_of([&] { load_model(model); }), Contains("describes a network of at least"));
  plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["features_per_stage"] = {4, 4, 8};
  put_bytes(model / "plans.json", plans.dump());
  CHECK_THAT(error_of([&] { load_model(model); }), Contains("of another shape or kind"));
}

// Scripts in tools/crosscheck make the folder: models that PyTorch made and runs that it has read.
TEST_CASE("networks of other programs give PyTorch's outputs") {
  const char* given = std::getenv("VOXGRAD_CROSSCHECK");
  if (!given) {
    std::cout << "skipped: VOXGRAD_CROSSCHECK names no folder that a script of tools/crosscheck made\n";
    return;
  }
  const Inference quiet;
  for (auto& e : fs::directory_iterator(given)) {
    const bool run = fs::exists(e.path() / "run");
    if (!run && !source_of(e.path())) continue;
    const Model m = load_model(run ? e.path() / "run" : e.path());
    const Checkpoint c = load_checkpoint(e.path() / "expected.safetensors");
    // {N, C, ..} to {N, D, H, W, C}.
    const auto last = [](Tensor t) {
      if (t.shape().rank == 4) t = t.reshape({t.dim(0), t.dim(1), 1, t.dim(2), t.dim(3)});
      return permute(t, {0, 2, 3, 4, 1});
    };
    const std::vector<double> y = m.net(last(*c.find("x")))[0].values(), wanted = last(*c.find("y")).values();
    REQUIRE(y.size() == wanted.size());
    double worst = 0, most = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      worst = std::max(worst, std::abs(y[i] - wanted[i]));
      most = std::max(most, std::abs(wanted[i]));
    }
    std::cout << e.path().filename().string() << ": outputs up to " << most << ", the largest difference " << worst << '\n';
    CHECK(worst < 1e-4);
  }
}
