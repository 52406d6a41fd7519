#include "train/transfer/transfer.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "io/checkpoint.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/permute/permute.h"
#include "models/model_registry.h"
#include "models/resnet/resnet.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/optimizer.h"
#include "train/transfer/trained_parts.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Network resnet_of(const ResNetConfig& c, uint64_t seed) {
  Rng rng(seed);
  return Network(ResNet(c, rng), traits_of(c), to_json_text(c));
}
ResNetConfig small_net(int channels, int classes, bool flat) {
  return {.in_channels = channels, .classes = classes, .depth = 10, .base_features = 2, .flat = flat};
}
TransferSource source_of_net(Network net, const std::string& beginning = "") {
  TransferSource out{.file = "weights"};
  for (auto& p : state_of(net)) out.weights.tensors.push_back({beginning + p.name, p.tensor});
  return out;
}
Tensor tensor_of(Network net, const std::string& name) {
  Checkpoint c{.tensors = state_of(net)};
  return *c.find(name);
}
std::string said_of(const std::vector<TransferReport::Line>& lines, const std::string& name) {
  for (auto& l : lines)
    if (l.name == name) return l.what;
  return "absent";
}

}  // namespace

TEST_CASE("weights are taken by name and shape, whatever stands in front of all names") {
  const Network from = resnet_of(small_net(1, 5, false), 1);
  for (const char* beginning : {"", "module.", "state_dict.module."}) {
    Network to = resnet_of(small_net(1, 2, false), 2);
    const Tensor own_head = tensor_of(to, "fc.weight").clone();
    TransferSource s = source_of_net(from, beginning);
    s.weights.tensors.push_back({std::string(beginning) + "other", Tensor::zeros({3})});
    s.skipped.emplace_back("counts", "not used");
    const TransferReport r = transfer(to, s, {});
    CHECK(r.taken_off == beginning);
    CHECK(tensor_of(to, "layer2.0.conv1.weight").values() == tensor_of(from, "layer2.0.conv1.weight").values());
    CHECK(tensor_of(to, "bn1.running_var").values() == tensor_of(from, "bn1.running_var").values());
    CHECK(tensor_of(to, "fc.weight").values() == own_head.values());
    CHECK(r.kept.size() == 2);
    CHECK(said_of(r.kept, "fc.weight") == "{5, 16} there, {2, 16} here");
    CHECK(said_of(r.unused, std::string(beginning) + "other") == "the network has none of that name");
    CHECK(said_of(r.unused, "counts") == "not used");
    CHECK_THAT(describe(r), Contains("weights: ") && Contains(" tensors (9") && Contains("kept: fc.weight ({5, 16} there"));
    CHECK(to_json(r)["kept"]["fc.bias"] == "{5} there, {2} here");
  }
  Network to = resnet_of(small_net(1, 5, false), 2);
  const TransferReport skipping = transfer(to, source_of_net(from), {.skip = {"layer4", "**.bias"}});
  CHECK(said_of(skipping.kept, "layer4.0.conv1.weight") == "transfer.skip");
  CHECK(said_of(skipping.kept, "fc.bias") == "transfer.skip");
  CHECK(said_of(skipping.loaded, "fc.weight").empty());
  // A part of the file's network alone may be left out; of a name that neither has nobody knows what it was to keep.
  TransferSource more = source_of_net(from);
  more.weights.tensors.push_back({"classifier.weight", Tensor::zeros({3})});
  CHECK(transfer(to, more, {.skip = {"classifier"}}).loaded.size() == skipping.loaded.size() + skipping.kept.size());
  CHECK_THAT(error_of([&] { transfer(to, more, {.skip = {"head"}}); }), Contains("\"head\" means nothing") && Contains("layer4, fc"));
  TransferSource nothing{.file = "weights"};
  nothing.weights.tensors.push_back({"a.b", Tensor::zeros({2})});
  CHECK_THAT(error_of([&] { transfer(to, nothing, {}); }),
             Contains("weights: nothing of it") && Contains("conv1.weight") && Contains("a.b"));
}

TEST_CASE("kernels of slices become kernels of volumes with the same answer to what is the same along D") {
  const Network flat = resnet_of(small_net(3, 2, true), 1);
  Network deep = resnet_of(small_net(1, 2, false), 2);
  const TransferReport r = transfer(deep, source_of_net(flat), {});
  CHECK(r.kept.empty());
  CHECK(said_of(r.loaded, "conv1.weight") == "2D to 3D, 3 channels to 1");
  CHECK(said_of(r.loaded, "layer1.0.conv1.weight") == "2D to 3D");
  CHECK(said_of(r.loaded, "layer2.0.downsample.0.weight").empty());
  const Tensor kernel = tensor_of(deep, "layer1.0.conv1.weight"), slice = tensor_of(flat, "layer1.0.conv1.weight");
  REQUIRE(kernel.dim(1) == 3);
  for (int64_t i = 0; i < 9 * 2; ++i) CHECK(kernel.values()[size_t(i)] == Approx(slice.values()[size_t(i)] / 3));
  // An image that is the same in three channels and along D.
  Rng noise(3);
  std::vector<double> plane(12 * 12), volume, colours;
  for (double& v : plane) v = noise.normal();
  for (int d = 0; d < 20; ++d) volume.insert(volume.end(), plane.begin(), plane.end());
  for (double v : plane) colours.insert(colours.end(), 3, v);
  const auto inner = [](const Tensor& y) { return y.values()[size_t(((y.dim(1) / 2) * y.dim(2) + 2) * y.dim(3) + 3) * size_t(y.dim(4))]; };
  const auto answer = [&](const Network& net, const Tensor& x) { return inner(net.as<ResNet>()->conv1(x)); };
  const double in_slices = answer(flat, Tensor::from(colours, {1, 1, 12, 12, 3}));
  const double in_volume = answer(deep, Tensor::from(volume, {1, 20, 12, 12, 1}));
  CHECK(in_volume == Approx(in_slices).epsilon(1e-5));
  CHECK(std::abs(in_slices) > 1e-3);

  Network middle = resnet_of(small_net(3, 2, false), 2);
  transfer(middle, source_of_net(flat), {.inflate = "center"});
  const std::vector<double> k = tensor_of(middle, "layer1.0.conv1.weight").values();
  CHECK(k[0] == 0);
  CHECK(k[9 * 2] == slice.values()[0]);
  CHECK(k[9 * 4] == 0);
  // Only what reads the image may have other channels.
  Network wide = resnet_of({.in_channels = 3, .classes = 2, .depth = 10, .base_features = 4, .flat = true}, 3);
  CHECK(said_of(transfer(wide, source_of_net(flat), {}).kept, "conv1.weight") != "absent");
}

TEST_CASE("slices of a transposed convolution do not overlap, so each is the kernel") {
  const auto unet = [](bool flat, uint64_t seed) {
    Rng rng(seed);
    UNetConfig c = UNetConfig::plain({.classes = 2, .stages = 2, .base_features = 2});
    if (flat) {
      for (Int3& k : c.kernels) k.d = 1;
      for (Int3& s : c.strides) s.d = 1;
    }
    return network_of(UNet(c, rng));
  };
  const Network flat = unet(true, 1);
  Network deep = unet(false, 2);
  transfer(deep, source_of_net(flat), {});
  std::string up;
  for (auto& p : state_of(deep))
    if (p.name.find("up") != p.name.npos && p.tensor.shape().rank == 5) up = p.name;
  REQUIRE_FALSE(up.empty());
  REQUIRE(tensor_of(flat, up).dim(1) == 1);
  REQUIRE(tensor_of(deep, up).dim(1) == 2);
  CHECK(tensor_of(deep, up).values()[0] == tensor_of(flat, up).values()[0]);
}

TEST_CASE("patterns mean parts of a network") {
  CHECK(selects("encoder", "encoder.0.weight"));
  CHECK(selects("encoder.0", "encoder.0.weight"));
  CHECK(selects("layer*", "layer3.0.conv1.weight"));
  CHECK(selects("**.bias", "encoder.0.bias"));
  CHECK(selects("!fc", "conv1.weight"));
  CHECK_FALSE(selects("!fc", "fc.weight"));
  CHECK_FALSE(selects("encoder", "encoders.0.weight"));
  CHECK_FALSE(selects("encoder.1", "encoder.10.weight"));
}

TEST_CASE("frozen parts stay as they are until the schedule thaws them, and rates are scaled by part") {
  Network net = resnet_of(small_net(1, 2, false), 1);
  TrainedParts parts({.freeze = {"!fc@0.5", "conv1"}, .lr_scale = {"layer4=0.25", "layer*=0.5", "fc.bias=0"}}, net);
  CHECK(parts.scale("layer4.0.conv1.weight") == 0.25);
  CHECK(parts.scale("layer1.0.conv1.weight") == 0.5);
  CHECK(parts.scale("fc.weight") == 1);
  CHECK(parts.scale("fc.bias") == 0);
  const auto trained = [&] {
    std::vector<std::string> names;
    for (auto& p : parameters(net)) names.push_back(p.name);
    return names;
  };
  const size_t all = trained().size();
  parts.apply(net, 0.2);
  CHECK(trained() == std::vector<std::string>{"fc.weight", "fc.bias"});
  CHECK(net.as<ResNet>()->layer1[0].bn1.mode.frozen);
  parts.apply(net, 0.5);
  CHECK(trained().size() == all - 1);
  CHECK(trained()[0] == "bn1.weight");
  CHECK_FALSE(net.as<ResNet>()->layer1[0].bn1.mode.frozen);
  const Network other = resnet_of(small_net(1, 2, false), 1);
  const auto said = [&](const TransferConfig& c) { return error_of([&] { TrainedParts(c, other); }); };
  CHECK_THAT(said({.freeze = {"fd"}}), Contains("\"fd\" means no parameter") && Contains("conv1, bn1, layer1"));
  CHECK_THAT(said({.freeze = {"**"}}), Contains("leaves nothing to train"));
  CHECK_THAT(said({.freeze = {"fc@2"}}), Contains("0 to 1 is wanted behind @"));
  CHECK_THAT(said({.lr_scale = {"fc"}}), Contains("PATTERN=FACTOR"));
}

TEST_CASE("an optimizer moves each parameter at its own rate") {
  const Parameter a{"a", Tensor::from({1, 1}, {2}).require_grad()}, b{"b", Tensor::from({1, 1}, {2}).require_grad()};
  ScheduledOptimizer o({a, b}, {.optimizer = "sgd", .learning_rate = 0.5, .momentum = 0, .weight_decay = 0, .poly = 0});
  o.scale_learning_rates([](const std::string& name) { return name == "b" ? 0.5 : 1.0; });
  for (const Parameter& p : {a, b}) p.tensor.set_grad(Tensor::from({1, 2}, {2}));
  o.schedule(0, 0);
  o.step();
  CHECK(a.tensor.values() == std::vector<double>{0.5, 0});
  CHECK(b.tensor.values() == std::vector<double>{0.75, 0.5});
}

TEST_CASE("a detector takes the weights of a classifier that its encoder is of, from a file of torchvision or from a training") {
  const TemporaryFolder folder;
  const ResNetConfig c{.in_channels = 3, .classes = 5, .depth = 10, .base_features = 2, .flat = true};
  Network classifier = resnet_of(c, 1);
  const std::vector<Parameter> weights = state_of(classifier);
  // As torchvision writes it: kernels {K, C, R, S}, and a count beside each norm.
  Checkpoint file;
  for (auto& p : weights) {
    const Shape& s = p.tensor.shape();
    const Tensor theirs = s.rank == 5 ? permute(p.tensor, {0, 4, 1, 2, 3}).reshape({s[0], s[4], s[2], s[3]}) : p.tensor;
    file.tensors.push_back({p.name, theirs});
    if (p.name.ends_with("running_mean"))
      file.tensors.push_back({p.name.substr(0, p.name.size() - 12) + "num_batches_tracked", Tensor::zeros({1}, DType::i64)});
  }
  file.tensors.push_back({"conv_seg.0.weight", Tensor::zeros({2, 2, 2, 2, 2})});
  save_checkpoint(folder / "resnet10.safetensors", file);
  const char* json = R"({"kind": "retina_net", "in_channels": 3, "classes": 2, "encoder": {"kind": "resnet", "depth": 10,
                         "base_features": 2, "flat": true}, "stage": 0, "levels": 2, "anchors": 1, "width": 8})";
  const TransferSource from_file = transfer_source({.from = (folder / "resnet10.safetensors").string()}, Json::parse(json));
  const std::pair<std::string, std::string> by_rules_of_resnet = {"conv_seg.0.weight", "a head of segmentation"};
  CHECK(std::find(from_file.skipped.begin(), from_file.skipped.end(), by_rules_of_resnet) != from_file.skipped.end());
  for (const TransferSource& s : {from_file, source_of_net(classifier)}) {
    Rng rng(7);
    Network net = build_network(Json::parse(json), rng);
    const TransferReport r = transfer(net, s, {});
    for (auto& p : weights) {
      CAPTURE(p.name);
      if (p.name.starts_with("fc.")) CHECK(said_of(r.unused, p.name) == "the network has none of that name");
      else CHECK(tensor_of(net, p.name).values() == p.tensor.values());
    }
    for (auto& kept : r.kept) CHECK(kept.what == "not there");
    CHECK(said_of(r.kept, "class_out.weight") == "not there");
  }
}
