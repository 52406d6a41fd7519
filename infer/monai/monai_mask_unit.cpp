// Masks of a bundle against those of MONAI 1.6.1, which tools/crosscheck/monai_bundles --held prints.
#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "infer/monai/monai.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
namespace fs = std::filesystem;

namespace {
const char* kMaskInference = R"json({
  "network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "strides": [2],
                  "num_res_units": 0, "norm": "batch"},
  "preprocessing": {"_target_": "Compose", "transforms": [
    {"_target_": "Orientationd", "axcodes": "RAS"},
    {"_target_": "CropForegroundd", "source_key": "image"},
    {"_target_": "Spacingd", "pixdim": [1.5, 1.5, 2], "mode": "bilinear"},
    {"_target_": "ScaleIntensityRanged", "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": true}]},
  "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [6, 6, 4]},
  "postprocessing": {"_target_": "Compose", "transforms": []}})json";

// By name, in the order of their names: 0.4 sin(t + 1.7 i^2) of element i of tensor t; one half more of what belongs to norms and
// activations, 0 of biases of convolutions.
Checkpoint weights() {
  std::vector<std::pair<std::string, Shape>> shapes = {
      {"model.0.conv.weight", {4, 1, 3, 3, 3}}, {"model.0.conv.bias", {4}}, {"model.1.submodule.conv.weight", {8, 4, 3, 3, 3}},
      {"model.1.submodule.conv.bias", {8}},     {"model.2.conv.weight", {12, 3, 3, 3, 3}}, {"model.2.conv.bias", {3}}};
  for (auto& [layer, channels] : {std::pair("model.0", 4), {"model.1.submodule", 8}}) {
    shapes.push_back({std::string(layer) + ".adn.A.weight", {1}});
    for (const char* part : {"weight", "bias", "running_mean", "running_var"})
      shapes.push_back({std::string(layer) + ".adn.N." + part, {channels}});
  }
  std::sort(shapes.begin(), shapes.end(), [](auto& a, auto& b) { return a.first < b.first; });
  Checkpoint c;
  for (auto& [name, shape] : shapes) {
    const double t = double(c.tensors.size()), base = name.find(".conv.") == name.npos ? 0.5 : 0;
    c.tensors.push_back({name, Tensor::zeros(shape)});
    if (name.ends_with(".conv.bias")) continue;
    double i = 0;
    for (float& v : c.tensors.back().tensor.mutable_data<float>()) {
      v = float(base + 0.4 * std::sin(t + 1.7 * i * i));
      ++i;
    }
  }
  return c;
}

// 11 x 9 x 8 voxels along x, y, z, the first to the right.
Volume image() {
  Volume v{Tensor::empty({8, 9, 11, 1}), {}};
  float* to = v.data.mutable_data<float>().data();
  for (int z = 0; z < 8; ++z)
    for (int y = 0; y < 9; ++y)
      for (int x = 0; x < 11; ++x) *to++ = x < 2 ? -1.f : float(60 * std::sin(x / 2.0) * std::cos(y / 3.0) + 40 * std::sin(z));
  v.affine.m[0] = {0, 0, -1.3, 0};
  v.affine.m[1] = {0, 1.1, 0, 0};
  v.affine.m[2] = {2, 0, 0, 0};
  return v;
}

// Voxels of each label, and the slice z = 4 by rows.
std::string mask(const Json& inferer, const Json& transforms) {
  const TemporaryFolder folder;
  Json j = Json::parse(kMaskInference);
  j["inferer"].update(inferer);
  j["postprocessing"]["transforms"] = transforms;
  fs::create_directories(folder / "configs");
  fs::create_directories(folder / "models");
  put_bytes(folder / "configs" / "inference.json", j.dump());
  save_checkpoint(folder / "models" / "model.pt", weights());
  const Model m = load_model(folder.path());
  const std::vector<double> labels =
      predict_labels(m.net, m.description, preprocess(image(), m.description, "image"), predict_options(m.description)).data.values();
  int counts[3] = {};
  std::string slice;
  for (double l : labels) ++counts[int(l)];
  for (size_t i = 0; i < 99; ++i) slice += (i && i % 11 == 0 ? " " : "") + std::to_string(int(labels[4 * 99 + i]));
  return std::to_string(counts[0]) + " " + std::to_string(counts[1]) + " " + std::to_string(counts[2]) + ": " + slice;
}
}  // namespace

TEST_CASE("the mask of a bundle is MONAI's") {
  const Json softmax = {{"_target_", "Activationsd"}, {"softmax", true}}, argmax = {{"_target_", "AsDiscreted"}, {"argmax", true}};
  const Json nearest = {{"_target_", "Invertd"}}, linear = {{"_target_", "Invertd"}, {"nearest_interp", false}};
  const Json constant = Json::object(), gaussian = {{"mode", "gaussian"}};
  CHECK(mask(constant, {softmax, linear, argmax}) ==
        "360 216 216: 00200000002 00020200000 00021111000 00021111000 00021111000 00011111110 00111111111 00021111122 00121121121");
  CHECK(mask(gaussian, {softmax, linear, argmax}) ==
        "335 238 219: 00200000002 00021111100 00021111100 00020200202 00021110201 00121111101 00111111101 00011211202 00121111121");
  CHECK(mask(constant, {softmax, argmax, nearest}) ==
        "354 227 211: 00200000002 00021200100 00021200100 00021211200 00021211200 00111111111 00111111111 00021211212 00121222121");
  CHECK(mask(gaussian, {softmax, argmax, nearest}) ==
        "324 261 207: 00200000202 00011111100 00011111100 00020200202 00021200201 00111111101 00111111101 00010200202 00121111121");
}
