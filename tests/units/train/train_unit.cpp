#include <cmath>
#include <filesystem>

#include "core/config/json_values.h"
#include "core/device/parallel.h"
#include "tests/catch.h"
#include "train/loader.h"
#include "train/plan.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "models/unet/unet.h"
#include "tasks/segmentation/segmentation.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Dataset dataset_of(std::vector<std::string> channels, int classes) {
  Dataset d;
  d.channel_names = std::move(channels);
  for (int k = 0; k < classes; ++k) d.labels.push_back("label " + std::to_string(k));
  return d;
}

Fingerprint print_of(Int3 extents, std::array<double, 3> spacing) {
  return {.extents = {extents}, .spacings = {spacing}, .foreground = {{"ct", 50, 20, -10, 200}}};
}

ModelDescription planned(const Dataset& d, const Fingerprint& print, const TrainConfig& config) { return plan(d, print, config, d.labels); }
UNetConfig network_of(const ModelDescription& d) { return unet_config_from_json(parse_json(d.network, "plan")); }

ModelDescription small_model() {
  TrainConfig config;
  apply_assignments(config, {"network.base_features=4", "train.patch=[8,8,8]"});
  return planned(dataset_of({"MRI"}, 3), print_of({8, 8, 8}, {1, 1, 1}), config);
}

// Oblique axes in another order than the canonical ones, anisotropic.
Volume turned_volume(const Shape& s, DType t) {
  Volume v{Tensor::zeros(s, t), {}};
  v.affine.m = {{{0.1, -0.8, 0.05, 5}, {2.0, 0.05, 0.1, -7}, {0.1, 0.02, -1.5, 11}, {0, 0, 0, 1}}};
  return v;
}

}  // namespace

TEST_CASE("plan: the hippocampus gets nnU-Net's patch and pooling") {
  const ModelDescription d = planned(dataset_of({"MRI"}, 3), print_of({36, 50, 35}, {1, 1, 1}), TrainConfig{});
  CHECK(d.patch == Int3{40, 56, 40});
  CHECK(network_of(d).features == std::vector<int>{32, 64, 128, 256});
  CHECK(network_of(d).strides.back() == Int3{2, 2, 2});
  CHECK(d.normalization[0].kind == "zscore");
}

TEST_CASE("plan: thick slices are neither pooled nor convolved across until the spacing evens out") {
  const ModelDescription d = planned(dataset_of({"CT"}, 2), print_of({20, 320, 320}, {5, 0.8, 0.8}), TrainConfig{});
  CHECK(network_of(d).kernels[0] == Int3{1, 3, 3});
  CHECK(network_of(d).strides[1] == Int3{1, 2, 2});
  CHECK(network_of(d).kernels[1] == Int3{1, 3, 3});  // 5 against 1.6 mm
  CHECK(network_of(d).strides[2] == Int3{1, 2, 2});
  CHECK(network_of(d).kernels[2] == Int3{3, 3, 3});  // 5 against 3.2 mm
  CHECK(d.normalization[0].kind == "ct");
  CHECK(d.normalization[0].high == 200);
  CHECK(double(d.patch.d) * d.patch.h * d.patch.w <= 128. * 128 * 128);
}

TEST_CASE("plan: a patch that the strides do not divide is refused") {
  TrainConfig config;
  config.train.patch = {30, 32, 32};
  CHECK_THROWS_WITH(planned(dataset_of({"MRI"}, 2), print_of({64, 64, 64}, {1, 1, 1}), config),
                    Contains("train.patch") && Contains("30x32x32"));
}

TEST_CASE("plan: a channel named CT keeps its range where the result is an image") {
  TrainConfig config;
  apply_assignments(config, {"task=restoration"});
  const auto kind = [&](const char* name) {
    return planned(dataset_of({name}, 1), print_of({36, 50, 35}, {1, 1, 1}), config).normalization[0].kind;
  };
  CHECK(kind("CT") == "hounsfield");
  CHECK(kind("red") == "rgb_to_0_1");
  apply_assignments(config, {"data.normalization=ct"});
  CHECK(kind("CT") == "ct");
}

TEST_CASE("plan: channels are normalised as their names ask for, whatever their case") {
  const std::vector<std::string> names = {"Ct", "NONORM", "rescale_to_0_1", "RGB_to_0_1", "Red", "zScore", "T1"};
  Fingerprint print = print_of({36, 50, 35}, {1, 1, 1});
  print.foreground.resize(names.size());
  const ModelDescription d = planned(dataset_of(names, 3), print, TrainConfig{});
  const char* const wanted[] = {"ct", "none", "rescale_to_0_1", "rgb_to_0_1", "rgb_to_0_1", "zscore", "zscore"};
  for (size_t c = 0; c < names.size(); ++c) CHECK(d.normalization[c].kind == wanted[c]);
  CHECK_FALSE(d.crop);
  TrainConfig config;
  apply_assignment(config, "data.normalization=rescale_to_0_1");
  CHECK(planned(dataset_of(names, 3), print, config).normalization[0].kind == "rescale_to_0_1");
}

TEST_CASE("plan: use_mask_for_norm crops to what is not zero and takes statistics of it, channel by channel") {
  Fingerprint print = print_of({64, 64, 64}, {1, 1, 1});
  print.cropped = {{20, 24, 28}};
  Dataset dataset = dataset_of({"T1", "CT", "T2"}, 2);
  print.foreground.resize(3);
  const auto masks_of = [&](const char* json, const TrainConfig& config = {}) {
    dataset.json = json;
    const ModelDescription d = planned(dataset, print, config);
    CHECK(d.crop == (d.normalization[0].mask || d.normalization[2].mask));
    CHECK((d.patch[0] < 40) == d.crop);
    CHECK_FALSE(d.normalization[1].mask);
    return std::pair(d.normalization[0].mask, d.normalization[2].mask);
  };
  CHECK(masks_of("{}") == std::pair(false, false));
  CHECK(masks_of(R"({"use_mask_for_norm": true})") == std::pair(true, true));
  CHECK(masks_of(R"({"use_mask_for_norm": [false, true, true]})") == std::pair(false, true));
  CHECK_THROWS_WITH(masks_of(R"({"use_mask_for_norm": [true]})"), Contains("use_mask_for_norm") && Contains("3 channels"));
  TrainConfig config;
  apply_assignment(config, "data.normalization=zscore_masked");
  dataset.json = "{}";
  CHECK(planned(dataset, print, config).normalization[1].mask);
  CHECK(planned(dataset, print, config).crop);
}

TEST_CASE("a data set of one label or of more than u8 holds is refused") {
  for (const int labels : {1, 257})
    CHECK_THROWS_WITH(make_task("")->outputs(dataset_of({"MRI"}, labels)),
                      Contains("dataset.json") && Contains("declares " + std::to_string(labels) + " labels"));
}

TEST_CASE("preprocessing goes to canonical axes and back to the geometry of the file, exactly where no resampling is needed") {
  ModelDescription d = small_model();
  Volume v = turned_volume({3, 4, 5, 1}, DType::f32), label = turned_volume({3, 4, 5}, DType::i16);
  d.spacing = to_canonical(v).spacing();
  for (int64_t i = 0; i < 60; ++i) {
    v.data.mutable_data<float>()[size_t(i)] = float(i);
    label.data.mutable_data<int16_t>()[size_t(i)] = int16_t(i * 7 % 3);
  }
  const Preprocessed p = preprocess(v, d, "scan");
  CHECK(p.geometry.working == p.geometry.canonical);
  double sum = 0, square = 0;
  for (double x : p.image.values()) sum += x, square += x * x;
  CHECK(std::abs(sum) < 1e-4);
  CHECK(std::abs(square / 60 - 1) < 1e-5);
  const Volume back = restore_labels(preprocess_label(label, p.geometry, 3, "labels"), p.geometry);
  CHECK(back.affine == v.affine);
  CHECK(back.data.values() == label.data.values());
}

TEST_CASE("preprocessing resamples to the model's spacing and back") {
  ModelDescription d = small_model();
  Volume v = turned_volume({6, 8, 10, 1}, DType::f32), label = turned_volume({6, 8, 10}, DType::u8);
  const Vec3 spacing = to_canonical(v).spacing();
  for (size_t a = 0; a < 3; ++a) d.spacing[a] = spacing[a] / 2;
  for (int64_t i = 0; i < v.data.count(); ++i) {
    const bool inside = i % 10 >= 5;  // half of the volume: survives the way there and back
    v.data.mutable_data<float>()[size_t(i)] = inside, label.data.mutable_data<uint8_t>()[size_t(i)] = inside;
  }
  const Preprocessed p = preprocess(v, d, "scan");
  CHECK(p.image.count() == 8 * v.data.count());
  const Tensor fine = preprocess_label(label, p.geometry, 2, "labels");
  CHECK(fine.count() == 8 * label.data.count());
  Tensor logits = Tensor::zeros({p.geometry.working.d, p.geometry.working.h, p.geometry.working.w, 2});
  for (int64_t i = 0; i < fine.count(); ++i) logits.mutable_data<float>()[size_t(2 * i + fine.data<uint8_t>()[size_t(i)])] = 1;
  CHECK(restore_labels(logits, p.geometry).data.values() == label.data.values());
}

TEST_CASE("preprocessing refuses what it cannot use, by the name of the file") {
  ModelDescription d = small_model();
  Volume v = turned_volume({3, 4, 5, 1}, DType::f32);
  v.data.mutable_data<float>()[7] = NAN;
  CHECK_THROWS_WITH(preprocess(v, d, "scan.nii"), Contains("scan.nii") && Contains("1 voxels are NaN"));
  d.nan = "zero";
  const Preprocessed p = preprocess(v, d, "scan.nii");
  Volume wide = v;
  for (auto& row : wide.affine.m)
    for (int c = 0; c < 3; ++c) row[size_t(c)] *= 1e4;
  CHECK_THROWS_WITH(preprocess(wide, d, "wide.nii"), Contains("wide.nii") && Contains("spacing is wrong"));
  CHECK_THROWS_WITH(preprocess(turned_volume({3, 4, 5, 2}, DType::f32), d, "two.nii"), Contains("2 channels") && Contains("takes 1"));
  CHECK_THROWS_WITH(preprocess_label(turned_volume({3, 4, 6}, DType::u8), p.geometry, 3, "label.nii"),
                    Contains("label.nii") && Contains("extents"));
  Volume label = turned_volume({3, 4, 5}, DType::f32);
  label.data.mutable_data<float>()[3] = 3;
  CHECK_THROWS_WITH(preprocess_label(label, p.geometry, 3, "label.nii"), Contains("the label 3") && Contains("0 to 2"));
  label.data.mutable_data<float>()[3] = 0.5;
  CHECK_THROWS_WITH(preprocess_label(label, p.geometry, 3, "label.nii"), Contains("0.5"));
}

TEST_CASE("a checkpoint alone suffices to predict, bit for bit") {
  const ModelDescription d = small_model();
  Rng rng(1);
  Network net = build_network(parse_json(d.network, "plan"), rng);
  const auto folder = std::filesystem::temp_directory_path() / "voxgrad_train_unit";
  std::filesystem::create_directories(folder);
  save_checkpoint(folder / "model.safetensors", checkpoint_of(net, d));
  const Model m = load_model(folder / "model.safetensors");
  CHECK(m.description.patch == d.patch);
  CHECK(m.description.labels == d.labels);
  Volume v = turned_volume({9, 12, 10, 1}, DType::f32);
  Rng noise(2);
  for (float& x : v.data.mutable_data<float>()) x = float(noise.normal());
  const PredictOptions options = predict_options(d);
  const Preprocessed p = preprocess(v, d, "scan");
  const Volume a = predict_labels(net, d, p, options), b = predict_labels(m.net, m.description, p, options);
  CHECK(a.data.shape() == Shape{9, 12, 10, 1});
  CHECK(a.affine == v.affine);
  CHECK(a.data.values() == b.data.values());
  Checkpoint foreign;
  foreign.tensors = state_of(net, "net");
  save_checkpoint(folder / "foreign.safetensors", foreign);
  CHECK_THROWS_WITH(load_model(folder / "foreign.safetensors"), Contains("no model of voxgrad"));
  std::filesystem::remove_all(folder);
}
