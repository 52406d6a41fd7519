#include "infer/weights/import.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "infer/predict.h"
#include "io/image.h"
#include "data/preprocess.h"
#include "models/ensemble/ensemble.h"
#include "models/model_registry.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// MeshNet as brainchop's model5_gw_ae and as PyTorch names a sequence of convolutions and activations.
Json meshnet(int layers, int patch) {
  Json rules = Json::array(), dilations = Json::array();
  const int all[] = {1, 2, 4, 8, 16, 8, 4, 2, 1};
  for (int i = 0; i < layers; ++i) {
    rules.push_back({{"from", "model." + std::to_string(2 * i) + ".*"},
                     {"to", "blocks." + std::to_string(i) + ".conv.$1"},
                     {"layout", "channels_last"}});
    dilations.push_back(all[i]);
  }
  rules.push_back({{"from", "model." + std::to_string(2 * layers) + ".*"}, {"to", "head.$1"}, {"layout", "channels_last"}});
  Json out;
  out["model"] = {{"network", {{"kind", "meshnet"}, {"classes", 3}, {"norm", "none"}, {"dilations", dilations}}},
                  {"patch", {patch, patch, patch}},
                  {"spacing_mm", {0, 0, 0}},
                  {"channels", {"T1"}},
                  {"labels", {"background", "white matter", "grey matter"}},
                  {"normalization", {{{"kind", "quantiles"}, {"low", 0.02}, {"high", 0.98}}}},
                  {"orientation", "file"},
                  {"axis_order", {2, 1, 0}}};
  out["rules"] = rules;
  return out;
}

// Weights of two layers under PyTorch's names, {K, C, T, R, S}.
void put_weights(const TemporaryFolder& folder, float scale, bool more = false) {
  Checkpoint c;
  Rng rng(2);
  const auto add = [&](const std::string& name, const Shape& shape) {
    c.tensors.push_back({name, Tensor::empty(shape)});
    for (float& v : c.tensors.back().tensor.mutable_data<float>()) v = scale * rng.normal();
  };
  add("model.0.weight", {5, 1, 3, 3, 3});
  add("model.0.bias", {5});
  add("model.2.weight", {3, 5, 1, 1, 1});
  add("model.2.bias", {3});
  if (more) add("model.4.bias", {3});
  save_checkpoint(folder / "w.pth", c);
}
}  // namespace

TEST_CASE("weights of another program are a model by a file that says what they are") {
  const TemporaryFolder folder;
  put_weights(folder, 1);
  const auto import_by = [&](const Json& j) {
    put_bytes(folder / "rules.json", j.dump());
    return load_model(folder / "w.pth", {.rules = folder / "rules.json"});
  };
  const Model m = import_by(meshnet(1, 8));
  const Checkpoint c = load_checkpoint(folder / "w.pth");
  const Tensor x = Tensor::full({1, 1, 1, 1, 1}, 2);
  const Inference quiet;
  const std::vector<double> y = m.net(x)[0].values();
  // One voxel among zeros: the middle tap alone.
  for (size_t k = 0; k < 3; ++k) {
    double wanted = c.find("model.2.bias")->values()[k];
    for (size_t f = 0; f < 5; ++f)
      wanted += std::max(0.0, 2 * c.find("model.0.weight")->values()[f * 27 + 13] + c.find("model.0.bias")->values()[f]) *
                c.find("model.2.weight")->values()[k * 5 + f];
    CHECK(std::abs(y[k] - wanted) < 1e-5);
  }
  CHECK(m.description.overlap == 0.5);
  CHECK(m.description.labels[2] == "grey matter");

  Json bad = meshnet(1, 8);
  bad["rules"].erase(1);
  CHECK_THAT(error_of([&] { import_by(bad); }), Contains("w.pth") && Contains("2 without a rule: model.2.weight"));
  bad = meshnet(1, 8);
  bad["rules"][1] = {{"from", "model.2.*"}, {"skip", "not wanted"}};
  CHECK_THAT(error_of([&] { import_by(bad); }), Contains("missing: head.weight, head.bias"));
  CHECK_THAT(error_of([&] { import_by(meshnet(1, 8)["rules"]); }), Contains("has no \"model\""));
  bad = meshnet(1, 8);
  bad["model"].erase("labels");
  CHECK_THAT(error_of([&] { import_by(bad); }), Contains("rules.json") && Contains("labels"));
  bad = meshnet(1, 8);
  bad["model"]["network"]["features"] = 4000;
  bad["model"]["network"]["dilations"] = {1, 1, 1, 1};
  CHECK_THAT(error_of([&] { import_by(bad); }), Contains("describes a network of at least"));
  bad = meshnet(1, 8);
  bad["weights"] = 1;
  CHECK_THAT(error_of([&] { import_by(bad); }), Contains("\"weights\" is unknown"));
  put_weights(folder, 1, true);
  CHECK_THAT(error_of([&] { import_by(meshnet(1, 8)); }), Contains("model.4.bias"));
}

TEST_CASE("several models are one whose output is the mean of theirs, also from a checkpoint") {
  const TemporaryFolder folder, other;
  put_bytes(folder / "rules.json", meshnet(1, 8).dump());
  put_weights(folder, 1);
  put_weights(other, 3);
  const LoadModelOptions by{.rules = folder / "rules.json"};
  const Model a = load_model(folder / "w.pth", by), b = load_model(other / "w.pth", by);
  const Model both = load_ensemble({folder / "w.pth", other / "w.pth"}, by);
  const Tensor x = Tensor::full({1, 2, 3, 3, 1}, 0.5);
  const Inference quiet;
  const std::vector<double> ya = a.net(x)[0].values(), yb = b.net(x)[0].values();
  save_checkpoint(folder / "both.safetensors", checkpoint_of(both.net, both.description));
  for (const Model& m : {both, load_model(folder / "both.safetensors")}) {
    const std::vector<double> y = m.net(x)[0].values();
    for (size_t i = 0; i < y.size(); ++i) CHECK(std::abs(y[i] - (ya[i] + yb[i]) / 2) < 1e-5);
  }
  save_checkpoint(folder / "a.safetensors", checkpoint_of(a.net, a.description));
  Model turned = a;
  turned.description.axis_order = {0, 1, 2};
  save_checkpoint(folder / "turned.safetensors", checkpoint_of(turned.net, turned.description));
  CHECK_THAT(error_of([&] { load_ensemble({folder / "a.safetensors", folder / "turned.safetensors"}); }), Contains("axis_order"));
  CHECK_THAT(error_of([&] { load_model(folder / "a.safetensors", {.folds = {"1"}}); }), Contains("has no folds"));
  // Classifiers are calibrated each by itself.
  for (const auto& [file, temperature] : {std::pair{"cold.safetensors", 1.0}, {"hot.safetensors", 2.5}}) {
    Model one = a;
    one.description.task = Json{{"kind", "classification"}, {"temperature", temperature}}.dump();
    save_checkpoint(folder / file, checkpoint_of(one.net, one.description));
  }
  const Model calibrated = load_ensemble({folder / "cold.safetensors", folder / "hot.safetensors"});
  CHECK(parse_json(calibrated.description.task, "task")["temperature"] == 1.75);
}

// The bar is the map of the whole volume; here it is its middle, whose voxels see 46 others to either side, to take a tenth of the time.
TEST_CASE("brainchop's MeshNet gives its map", "[long]") {
  const std::filesystem::path folder = outside_data("brainchop");
  if (folder.empty()) return;
  const TemporaryFolder own;
  put_bytes(own / "rules.json", meshnet(9, 256).dump());
  const Model m = load_model(folder / "meshnet" / "model5_gw_ae" / "model.pth", {.rules = own / "rules.json"});
  const Volume t1 = read_volume(folder / "t1_crop.nii.gz"), map = read_volume(folder / "golden" / "model5_gw_ae_qnorm_argmax.nii.gz");
  const Preprocessed p = preprocess(t1, m.description, "t1");
  constexpr int kSees = 46, kSize = 24, kBegin = 116;
  const int begin = kBegin - kSees, size = kSize + 2 * kSees;
  Tensor x = Tensor::empty({1, size, size, size, 1});
  float* to = x.mutable_data<float>().data();
  const auto from = p.image.data<float>();
  for (int d = 0; d < size; ++d)
    for (int h = 0; h < size; ++h)
      for (int w = 0; w < size; ++w) *to++ = from[size_t(((begin + d) * 256 + begin + h) * 256 + begin + w)];
  const Inference quiet;
  const Tensor y = m.net(x)[0];
  const auto logits = y.data<float>();
  double both[3] = {}, either[3] = {};
  for (int d = 0; d < kSize; ++d)
    for (int h = 0; h < kSize; ++h)
      for (int w = 0; w < kSize; ++w) {
        const size_t at = size_t(((d + kSees) * size + h + kSees) * size + w + kSees) * 3;
        const int label = int(std::max_element(&logits[at], &logits[at] + 3) - &logits[at]);
        // The axes of the network are those of the file in the other order.
        const int wanted = map.data.data<uint8_t>()[size_t(((kBegin + w) * 256 + kBegin + h) * 256 + kBegin + d)];
        if (label == wanted) ++both[label];
        ++either[label];
        ++either[wanted];
      }
  for (int k = 0; k < 3; ++k) {
    INFO("label " << k << ": " << 2 * both[k] << " of " << either[k]);
    CHECK((either[k] == 0 || 2 * both[k] / either[k] >= 0.99));
  }
}
