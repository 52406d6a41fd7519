// Networks for values per image with weights of other programs. The numbers are PyTorch 2.15's, of networks of torchvision and MONAI:
// tools/crosscheck/classifiers --held, whose formula for weights is this one.

#include <cmath>
#include <map>
#include <regex>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "infer/weights/import.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

bool ends_with(const std::string& name, const char* ending) { return name.ends_with(ending); }

double wave(const std::string& name, int64_t i) {
  int letters = 0;
  for (const char c : name) letters += c;
  return std::sin(letters % 101 + 1.7 * double(i * i % 9973));
}

Shape in_pytorch(const Shape& ours, const std::string& theirs, bool flat) {
  if (ends_with(theirs, "layer_scale")) return {ours[0], 1, 1};
  if (ours.rank != 5) return ours;
  return flat ? Shape{ours[0], ours[4], ours[2], ours[3]} : Shape{ours[0], ours[4], ours[1], ours[2], ours[3]};
}

Tensor value_of(const std::string& name, const Shape& s) {
  const double fan_in = double(s.count()) / double(s[0]);
  Tensor t = Tensor::empty(s);
  int64_t i = 0;
  for (float& v : t.mutable_data<float>()) {
    const double w = wave(name, i++);
    if (ends_with(name, "running_var")) v = float(1 + 0.5 * w);
    else if (ends_with(name, "layer_scale")) v = float(0.5 + 0.2 * w);
    else if (s.rank > 1) v = float(2 * w / std::sqrt(fan_in));
    else v = float(0.2 * w + (ends_with(name, "weight") ? 1 : 0));
  }
  return t;
}

using Rename = std::function<std::string(const std::string&)>;

std::string replaced(const std::string& name, const char* pattern, const char* by) {
  return std::regex_replace(name, std::regex(pattern), by);
}
std::string as_old_torchvision(const std::string& n) { return replaced(n, "(denselayer\\d+\\.(?:norm|conv))([12])", "$1.$2"); }
std::string as_monai(const std::string& n) {
  return replaced(replaced(n, "(denselayer\\d+\\.)", "$1layers."), "^classifier", "class_layers.out");
}
std::string as_convnext(std::string n) {
  for (const int s : {0, 1, 2}) {
    const std::string stage = "^stages\\." + std::to_string(s), between = "features." + std::to_string(2 * s),
                      blocks = "features." + std::to_string(2 * s + 1) + ".$1.";
    const std::pair<const char*, const char*> parts[] = {
        {"depthwise", "block.0"}, {"norm", "block.2"}, {"expand", "block.3"}, {"project", "block.5"}, {"layer_scale", "layer_scale"}};
    for (auto& [ours, theirs] : parts)
      n = replaced(n, (stage + "\\.blocks\\.(\\d+)\\." + ours).c_str(), (blocks + theirs).c_str());
    n = replaced(replaced(n, (stage + "\\.norm").c_str(), (between + ".0").c_str()), (stage + "\\.down").c_str(), (between + ".1").c_str());
  }
  const std::pair<const char*, const char*> parts[] = {
      {"^stem_norm", "features.0.1"}, {"^stem", "features.0.0"}, {"^norm", "classifier.0"}, {"^head", "classifier.2"}};
  for (auto& [ours, theirs] : parts) n = replaced(n, ours, theirs);
  return n;
}

// The file as the other program would have it.
Checkpoint as_theirs(Network net, const Rename& theirs, bool flat) {
  Checkpoint out;
  for (auto& p : state_of(net)) {
    const std::string name = theirs(p.name);
    out.tensors.push_back({name, value_of(name, in_pytorch(p.tensor.shape(), name, flat))});
    if (ends_with(name, "1.running_var")) out.tensors.push_back({replaced(name, "running_var", "num_batches_tracked"), Tensor::scalar(7)});
  }
  return out;
}

}  // namespace

TEST_CASE("weights with the names of torchvision, MONAI and MedicalNet give PyTorch's outputs") {
  struct Use {
    const char* json;
    Rename theirs;
    Shape x;  // of PyTorch
    std::vector<double> logits;
    const char* prefix = "";
  };
  const Rename same = [](const std::string& n) { return n; };
  const Use uses[] = {
      {R"({"kind": "resnet", "depth": 10, "base_features": 4, "shortcut": "A", "dilated": true, "classes": 3})",
       same,
       {1, 1, 17, 20, 22},
       {1.125269, 0.330777, 0.206239},
       "state_dict.module."},
      {R"({"kind": "resnet", "depth": 50, "base_features": 2, "stem_stride": 1, "shortcut_bias": true, "classes": 3})",
       same,
       {1, 1, 9, 12, 10},
       {-150.457263, -12.412125, -191.020292}},
      {R"({"kind": "densenet", "growth": 4, "classes": 3, "in_channels": 3, "flat": true})",
       as_old_torchvision,
       {1, 3, 1, 37, 42},
       {-35.560308, 7.965387, -27.943818}},
      {R"({"kind": "densenet", "growth": 2, "classes": 3})", as_monai, {1, 1, 34, 32, 37}, {5.084787, 1.682277, 1.117119}},
      {R"({"kind": "convnext", "base_features": 4, "blocks": [1, 2, 1], "classes": 3, "in_channels": 3, "flat": true})",
       as_convnext,
       {1, 3, 1, 30, 41},
       {0.576721, 2.69984, -1.286378}}};
  for (const Use& u : uses) {
    CAPTURE(u.json);
    Rng rng(1);
    Network net = build_network(Json::parse(u.json), rng);
    const bool flat = u.x[2] == 1;
    Checkpoint theirs = as_theirs(net, u.theirs, flat);
    const std::string prefix = u.prefix;
    for (auto& p : theirs.tensors) p.name = prefix + p.name;
    if (!prefix.empty()) theirs.tensors.push_back({prefix + "conv_seg.0.weight", Tensor::zeros({2, 2, 2, 2, 2})});
    if (!prefix.empty()) theirs.tensors.push_back({"optimizer.state.0", Tensor::zeros({2})});
    const Json network = Json::parse(u.json);
    const WeightMap map = foreign_weights(theirs, network, "theirs");
    CHECK(map.unmatched.empty());
    std::map<std::string, int> skipped;
    for (auto& [name, why] : map.skipped) ++skipped[why];
    CHECK((skipped["a count that is not used"] > 0) == (network["kind"] != "convnext"));
    CHECK(skipped["a head of segmentation"] == (prefix.empty() ? 0 : 1));
    CHECK(skipped["not among the weights"] == (prefix.empty() ? 0 : 1));
    load_into(net, map.weights);
    Tensor x = Tensor::empty({u.x[0], u.x[2], u.x[3], u.x[4], u.x[1]});
    int64_t i = 0;
    const int64_t voxels = u.x[2] * u.x[3] * u.x[4], channels = u.x[1];
    for (float& v : x.mutable_data<float>()) {
      v = float(wave("x", i % channels * voxels + i / channels));
      ++i;
    }
    const Inference quiet;
    const std::vector<double> y = net(x)[0].values();
    double largest = 0;
    for (const double v : u.logits) largest = std::max(largest, std::abs(v));
    for (size_t k = 0; k < y.size(); ++k) {
      INFO(y[k] << " for " << u.logits[k]);
      CHECK(std::abs(y[k] - u.logits[k]) < 1e-4 * largest);
    }
  }
}

TEST_CASE("a file that names the network alone has its weights by the network's own rules") {
  const TemporaryFolder folder;
  const Json network = Json::parse(R"({"kind": "resnet", "depth": 10, "base_features": 2, "classes": 3})");
  Rng rng(1);
  Network net = build_network(network, rng);
  save_checkpoint(folder / "w.pth", as_theirs(net, [](auto& n) { return n; }, false));
  Json file;
  file["model"] = {{"network", network},
                   {"patch", {8, 8, 8}},
                   {"spacing_mm", {0, 0, 0}},
                   {"channels", {"a"}},
                   {"labels", {"x", "y", "z"}},
                   {"task", {{"kind", "classification"}}},
                   {"normalization", {{{"kind", "none"}}}}};
  const auto loaded = [&] {
    put_bytes(folder / "rules.json", file.dump());
    return load_model(folder / "w.pth", {.rules = folder / "rules.json"});
  };
  Network made = loaded().net;
  const std::vector<Parameter> state = state_of(made);
  CHECK(state[0].name == "conv1.weight");
  CHECK(state[0].tensor.values()[1] == double(float(2 * wave("conv1.weight", 1) / std::sqrt(343))));
  CHECK_FALSE(read_rules(folder / "rules.json").rules.size());
  file["model"]["network"] = Json::parse(R"({"kind": "meshnet", "classes": 3, "dilations": [1]})");
  CHECK_THAT(error_of([&] { loaded(); }), Contains("meshnet") && Contains("no rules"));
  file = {{"weights", 1}};
  CHECK_THAT(error_of([&] { loaded(); }), Contains("\"weights\" is unknown"));
}
