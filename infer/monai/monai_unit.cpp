#include "infer/monai/monai.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "data/preprocess.h"
#include "io/json_file.h"
#include "io/weights/weights.h"
#include "models/model_registry.h"
#include "tests/catch.h"
#include "tests/hostile_json.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
const char* kInference = R"json({
  "image_key": "image", "channels": [4, 8], "size": [8, 8, 8],
  "network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": "@channels", "strides": [2],
                  "num_res_units": 0, "norm": "batch"},
  "network": "$@network_def.to(@device)",
  "preprocessing": {"_target_": "Compose", "transforms": [
    {"_target_": "LoadImaged", "keys": "@image_key"},
    {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.5, 2], "mode": "bilinear"},
    {"_target_": "ScaleIntensityRanged", "keys": "@image_key", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": true},
    {"_target_": "monai.transforms.RandFlipd", "_disabled_": true},
    {"_target_": "EnsureTyped", "keys": "@image_key"}]},
  "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@size", "overlap": 0.5},
  "postprocessing": {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "softmax": true},
    {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "nearest_interp": false},
    {"_target_": "AsDiscreted", "argmax": true}]}})json";
const char* kMetadata = R"({"network_data_format": {"inputs": {"image": {"channel_def": {"0": "CT"}}},
  "outputs": {"pred": {"channel_def": {"0": "background", "1": "spleen"}}}}})";

// A bundle with weights of the network that it describes, under MONAI's names.
void put_bundle(const TemporaryFolder& folder, const Json& inference) {
  fs::create_directories(folder / "configs");
  fs::create_directories(folder / "models");
  put_bytes(folder / "configs" / "inference.json", inference.dump());
  put_bytes(folder / "configs" / "metadata.json", kMetadata);
  Checkpoint c;
  Rng rng(3);
  const auto add = [&](const std::string& name, const Shape& s) {
    c.tensors.push_back({name, Tensor::empty(s)});
    for (float& v : c.tensors.back().tensor.mutable_data<float>()) v = 0.2f + 0.1f * rng.normal();
  };
  const auto add_act = [&](const std::string& name, int64_t channels) {
    add(name + ".A.weight", {1});
    for (const char* part : {"weight", "bias", "running_mean", "running_var"}) add(name + ".N." + part, {channels});
    c.tensors.push_back({name + ".N.num_batches_tracked", Tensor::full({}, 1, DType::i64)});
  };
  const auto add_conv = [&](const std::string& name, int64_t out, int64_t in, bool act, int64_t biases) {
    add(name + ".conv.weight", {out, in, 3, 3, 3});
    add(name + ".conv.bias", {biases});
    if (act) add_act(name + ".adn", out);
  };
  add_conv("model.0", 4, 1, true, 4);
  add_conv("model.1.submodule", 8, 4, true, 8);
  add_conv("model.2", 12, 2, false, 2);  // transposed: {in, out, ..}
  save_checkpoint(folder / "models" / "model.pt", c);
}

std::string monai_refusal(const char* pointer, const Json& value) {
  const TemporaryFolder folder;
  Json j = Json::parse(kInference);
  j[Json::json_pointer(pointer)] = value;
  put_bundle(folder, j);
  return error_of([&] { load_model(folder.path()); });
}
}  // namespace

TEST_CASE("a bundle of MONAI is a model: its network, preprocessing and weights") {
  const TemporaryFolder folder;
  put_bundle(folder, Json::parse(kInference));
  for (const fs::path& path : {folder.path(), folder / "models" / "model.pt"}) {
    const Model m = load_model(path);
    const ModelDescription& d = m.description;
    CHECK(d.channels == std::vector<std::string>{"CT"});
    CHECK(d.labels == std::vector<std::string>{"background", "spleen"});
    CHECK(d.patch == Int3{8, 8, 8});
    CHECK(d.spacing == std::array<double, 3>{1.5, 1.5, 2});
    CHECK(d.axis_order == std::array<int, 3>{2, 1, 0});  // right, anterior, superior
    CHECK(d.flip_axes == std::array<bool, 3>{false, false, false});
    CHECK(d.resampling == "centres");
    CHECK(d.resample_first);
    CHECK(d.tile_places == "stepped");
    CHECK(d.tile_weights == "constant");
    CHECK(d.overlap == 0.5);
    CHECK(d.restoring == "probabilities");
    CHECK(d.normalization[0].low == -57);
    CHECK(std::abs((53.5 - d.normalization[0].mean) / d.normalization[0].std - 0.5) < 1e-9);
    const Inference quiet;
    CHECK(m.net(Tensor::full({1, 8, 8, 8, 1}, 1))[0].shape() == Shape{1, 8, 8, 8, 2});
    // The description survives a checkpoint.
    save_checkpoint(folder / "own.safetensors", checkpoint_of(m.net, d));
    CHECK(to_json(load_model(folder / "own.safetensors").description) == to_json(d));
  }
}

TEST_CASE("hostile bundles of MONAI are refused by the name of their file") {
  const TemporaryFolder folder;
  put_bundle(folder, Json::parse(kInference));
  int refused = 0;
  for (const auto& [file, good] : {std::pair{"inference.json", kInference}, {"metadata.json", kMetadata}})
    refused += refused_variants(Json::parse(good), [&, file = file](const Json& bad) {
      put_bytes(folder / "configs" / file, bad.dump());
      const std::string message = error_of([&] { load_model(folder.path()); });
      REQUIRE((message.empty() || message.starts_with(folder.path().string())));
      REQUIRE_THAT(message, !Contains("json.exception"));
      if (!message.empty()) fail(message);
    });
  CHECK(refused > 300);
}

TEST_CASE("what a bundle asks for and is not understood is refused by name") {
  CHECK_THAT(monai_refusal("/network_def/_target_", "monai.networks.nets.SwinUNETR"), Contains("the network is \"SwinUNETR\""));
  CHECK_THAT(monai_refusal("/network_def/_target_", "$import os"), Contains("an expression of Python"));
  CHECK_THAT(monai_refusal("/network_def/spatial_dims", 2), Contains("spatial_dims: is 2"));
  CHECK_THAT(monai_refusal("/network_def/act", "MISH"), Contains("is mish"));
  CHECK_THAT(monai_refusal("/network_def/adn_ordering", "ADN"), Contains("adn_ordering: is \"ADN\""));
  CHECK_THAT(monai_refusal("/network_def/novel", 1), Contains("the argument \"novel\""));
  CHECK_THAT(monai_refusal("/network_def/channels", "@nothing"), Contains("refers to @nothing"));
  CHECK_THAT(monai_refusal("/channels", "@channels"), Contains("lead into one another"));
  CHECK_THAT(monai_refusal("/channels", {4, 6}), Contains("of another shape"));
  CHECK_THAT(monai_refusal("/channels", {4, 8, 8}), Contains("strides has 1 entries"));
  CHECK_THAT(monai_refusal("/preprocessing/transforms/4/_disabled_", false), Contains("the transform \"RandFlipd\""));
  CHECK_THAT(monai_refusal("/preprocessing/transforms/1/axcodes", "RAA"), Contains("axcodes is \"RAA\""));
  CHECK_THAT(monai_refusal("/preprocessing/transforms/2/mode", "nearest"), Contains("bilinear is read"));
  CHECK_THAT(monai_refusal("/postprocessing/transforms/0", {{"_target_", "Activationsd"}, {"sigmoid", true}}), Contains("sigmoid"));
  CHECK_THAT(monai_refusal("/preprocessing/transforms/2/padding_mode", "zeros"), Contains("its padding_mode is \"zeros\""));
  CHECK_THAT(monai_refusal("/preprocessing/transforms/3/relative", true), Contains("its relative is true"));
  CHECK_THAT(monai_refusal("/postprocessing/transforms/2/to_onehot", 2), Contains("its to_onehot is 2"));
  CHECK_THAT(monai_refusal("/postprocessing/transforms/2", {{"_target_", "ToTensord"}}), Contains("no AsDiscreted"));
  CHECK_THAT(monai_refusal("/inferer/padding_mode", "reflect"), Contains("its padding_mode is \"reflect\""));
  CHECK_THAT(monai_refusal("/inferer/overlap", {0.5, 0.5, 0.25}), Contains("the same along all axes"));
  CHECK_THAT(monai_refusal("/inferer/roi_size", {8, 8, 7}), Contains("wanted multiples of 2x2x2"));
  CHECK_THAT(monai_refusal("/inferer/_target_", "SimpleInferer"), Contains("the inferer is \"SimpleInferer\""));
}

TEST_CASE("what a bundle does with its outputs decides what is brought back to the file") {
  const Json softmax = {{"_target_", "Activationsd"}, {"softmax", true}}, argmax = {{"_target_", "AsDiscreted"}, {"argmax", true}};
  const Json nearest = {{"_target_", "Invertd"}}, linear = {{"_target_", "Invertd"}, {"nearest_interp", false}};
  const auto restoring = [](const Json& transforms) {
    ModelDescription d;
    add_postprocessing(d, transforms, "test");
    return d.restoring;
  };
  CHECK(restoring({softmax, linear, argmax}) == "probabilities");
  CHECK(restoring({linear, softmax, argmax}) == "outputs");
  CHECK(restoring({softmax, nearest, argmax}) == "labels");
  CHECK(restoring({softmax, argmax, nearest}) == "labels");
  CHECK(restoring({softmax, argmax, {{"_target_", "SaveImaged"}}}) == "labels");
  CHECK_THAT(error_of([&] { restoring({softmax, argmax, linear}); }), Contains("interpolates labels"));
}

TEST_CASE("axcodes name where the axes of the array end") {
  ModelDescription d{.channels = {"a"}};
  const auto turned = [&](const char* codes) {
    add_preprocessing(d, Json::array({{{"_target_", "Orientationd"}, {"axcodes", codes}}}), "test");
    return std::pair(d.axis_order, d.flip_axes);
  };
  CHECK(turned("LPS") == std::pair(std::array{2, 1, 0}, std::array{true, true, false}));
  CHECK(turned("SAL") == std::pair(std::array{0, 1, 2}, std::array{false, false, true}));
  // A voxel at the far end of x, the right one, is the first of an array that ends left.
  Volume v{Tensor::zeros({2, 3, 4, 1}), Affine()};
  v.data.mutable_data<float>()[3] = 1;
  ModelDescription left{.patch = {8, 8, 8}, .normalization = {{.kind = "none"}}, .channels = {"a"}};
  left.axis_order = {2, 1, 0};
  left.flip_axes = {true, false, false};
  const Preprocessed p = preprocess(v, left, "v");
  CHECK(p.image.shape() == Shape{4, 3, 2, 1});
  CHECK(p.image.values()[0] == 1);
  CHECK(in_file_axes(p.image, p.geometry).data.values() == v.data.values());
}
