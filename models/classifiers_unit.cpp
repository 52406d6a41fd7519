// What the networks for values per image have in common; infer/weights/classifiers_unit.cpp compares their outputs with PyTorch's.

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/forward_hooks.h"
#include "core/training.h"
#include "io/checkpoint.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "models/attention_mil/attention_mil.h"
#include "models/convnext/convnext.h"
#include "models/densenet/densenet.h"
#include "models/model_registry.h"
#include "models/resnet/resnet.h"
#include "models/unet/unet_encoder.h"
#include "models/unet_classifier/unet_classifier.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Network classifier_of(const std::string& json) {
  Rng rng(3);
  return build_network(Json::parse(json), rng);
}

Tensor noise_of(const Shape& s) {
  Rng rng(1);
  Tensor x = Tensor::empty(s);
  for (float& v : x.mutable_data<float>()) v = rng.normal();
  return x;
}

template <class M, class Config>
int64_t built_parameters(const Config& c) {
  Rng rng(1);
  M net(c, rng);
  return parameter_count(net);
}

const UNetConfig kTinyUNet = [] {
  UNetConfig c = UNetConfig::plain({.in_channels = 1, .classes = 3, .stages = 3, .base_features = 2});
  c.deep_supervision = false;
  return c;
}();

}  // namespace

TEST_CASE("networks for values per image have the published numbers of parameters") {
  // torchvision's 2D networks of 1000 classes; MONAI's of volumes, 1 channel, 2 classes.
  const auto dense = [](int depth, bool flat) {
    return flat ? parameters_of(DenseNetConfig{.in_channels = 3, .classes = 1000, .depth = depth, .flat = true})
                : parameters_of(DenseNetConfig{.depth = depth});
  };
  CHECK(dense(121, true) == 7978856);
  CHECK(dense(161, true) == 28681000);
  CHECK(dense(169, true) == 14149480);
  CHECK(dense(201, true) == 20013928);
  CHECK(dense(121, false) == 11244674);
  CHECK(dense(169, false) == 18546050);
  CHECK(dense(201, false) == 25334658);
  CHECK(dense(264, false) == 40251266);
  // torchvision's convnext_tiny and convnext_small.
  CHECK(parameters_of(ConvNeXtConfig{.in_channels = 3, .classes = 1000, .base_features = 96, .blocks = {3, 3, 9, 3}, .flat = true}) ==
        28589128);
  CHECK(parameters_of(ConvNeXtConfig{.in_channels = 3, .classes = 1000, .base_features = 96, .blocks = {3, 3, 27, 3}, .flat = true}) ==
        50223688);
  // MedicalNet's encoders, without a head.
  const auto encoder = [](int depth, const char* shortcut) {
    return parameters_of(ResNetConfig{.classes = 0, .depth = depth, .shortcut = shortcut, .dilated = true});
  };
  CHECK(encoder(10, "B") == 14355520);
  CHECK(encoder(18, "A") == 32986176);
  CHECK(encoder(34, "A") == 63295808);
  CHECK(encoder(50, "B") == 46155072);
  CHECK(encoder(101, "B") == 85201216);
  CHECK(encoder(152, "B") == 117359936);
  CHECK(encoder(200, "B") == 126559552);
}

TEST_CASE("the parameters that are counted are those that are built") {
  for (const bool flat : {false, true}) {
    const DenseNetConfig d{.in_channels = 2, .classes = 3, .growth = 2, .base_features = 3, .small_stem = flat, .flat = flat};
    CHECK(double(built_parameters<DenseNet>(d)) == parameters_of(d));
    const ConvNeXtConfig n{.in_channels = 2, .classes = 3, .base_features = 3, .blocks = {1, 2}, .kernel = 3, .flat = flat};
    CHECK(double(built_parameters<ConvNeXt>(n)) == parameters_of(n));
    for (const int depth : {10, 50})
      for (const char* shortcut : {"A", "B"}) {
        const ResNetConfig r{.classes = 3, .depth = depth, .base_features = 2, .shortcut = shortcut, .shortcut_bias = flat, .flat = flat};
        CHECK(double(built_parameters<ResNet>(r)) == parameters_of(r));
      }
  }
}

TEST_CASE("every weight of a network for values per image learns, and its JSON makes it again") {
  const std::string unet = to_json(kTinyUNet).dump();
  const std::string residual = to_json(UNetConfig::residual_encoder({.stages = 2, .base_features = 2})).dump();
  for (const std::string& json : {std::string(R"({"kind": "densenet", "classes": 3, "growth": 2, "small_stem": true, "dropout": 0.1})"),
                                  std::string(R"({"kind": "densenet", "classes": 3, "growth": 2, "base_features": 5})"),
                                  std::string(R"({"kind": "resnet", "classes": 3, "depth": 10, "base_features": 2, "shortcut": "A"})"),
                                  std::string(R"({"kind": "resnet", "classes": 3, "depth": 50, "base_features": 2, "dilated": true})"),
                                  R"({"kind": "unet_classifier", "classes": 3, "dropout": 0.2, "unet": )" + unet + "}",
                                  R"({"kind": "unet_classifier", "classes": 3, "unet": )" + residual + "}",
                                  std::string(R"({"kind": "attention_mil", "classes": 3, "instance": [5, 4, 6], "attention": 4,
                                               "encoder": {"depth": 10, "base_features": 2, "small_stem": true}, "dropout": 0.1})"),
                                  std::string(R"({"kind": "convnext", "classes": 3, "base_features": 4, "blocks": [1, 2], "patch_size": 2,
                                               "layer_scale": 0.5, "drop_path": 0.01})")}) {
    CAPTURE(json);
    const Network net = classifier_of(json);
    CHECK_FALSE(net.traits().dense);
    const Training draws(Rng(5));
    const Tensor y = net(noise_of({2, 9, 8, 11, 1}))[0];
    CHECK(y.shape() == Shape{2, 3});
    backward(cross_entropy(y, Tensor::from({0, 2}, {2}, DType::u8)));
    Network copy = net;
    for (auto& p : parameters(copy)) {
      INFO(p.name);
      CHECK(bool(p.tensor.grad()));
    }
    CHECK(classifier_of(net.config()).config() == net.config());
    // Any extents will do, those of a single voxel too.
    const Inference quiet;
    for (const double v : net(noise_of({1, 1, 3, 1, 1}))[0].values()) CHECK(std::isfinite(v));
  }
  CHECK_THAT(error_of([] { classifier_of(R"({"kind": "densenet", "depth": 120})"); }), Contains("121, 161"));
  CHECK_THAT(error_of([] { classifier_of(R"({"kind": "convnext", "kernel": 4})"); }), Contains("kernel is 4"));
  CHECK_THAT(error_of([] { classifier_of(R"({"kind": "convnext", "blocks": []})"); }), Contains("0 stages"));
  CHECK_THAT(error_of([] { classifier_of(R"({"kind": "resnet", "shortcut": "C"})"); }), Contains("shortcut"));
  CHECK_THAT(error_of([] { classifier_of(R"({"kind": "attention_mil", "encoder": {"depth": 3}})"); }), Contains("10, 18"));
}

TEST_CASE("a DenseNet's fields have torchvision's names") {
  Rng rng(1);
  DenseNet net({.growth = 1}, rng);
  std::vector<std::string> names;
  for (auto& p : state_of(net)) names.push_back(p.name);
  for (const char* name : {"features.conv0.weight", "features.norm0.running_var", "features.denseblock1.denselayer1.norm1.weight",
                           "features.denseblock3.denselayer24.conv2.weight", "features.transition3.conv.weight", "features.norm5.bias",
                           "classifier.weight"})
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
}

TEST_CASE("a U-Net's weights are those of its classifier by name, and the other way") {
  Rng rng(1), other(2);
  UNet unet(kTinyUNet, rng);
  UNetClassifier net({.classes = 3, .unet = kTinyUNet}, other);
  const std::vector<Parameter> own = state_of(net);
  size_t shared = 0;
  for (auto& theirs : state_of(unet))
    for (auto& p : own) shared += p.name == theirs.name && p.tensor.shape() == theirs.tensor.shape();
  CHECK(shared + 2 == own.size());  // all but fc.weight and fc.bias
  Checkpoint from{.tensors = state_of(unet)};
  std::erase_if(from.tensors, [](auto& p) { return p.name.rfind("encoder.", 0) != 0; });
  load_into(net, from, {.skip = {"fc.weight", "fc.bias"}});
  const Inference quiet;
  const Tensor x = noise_of({1, 8, 8, 12, 1});
  CHECK(net(x).values() == net.fc(mean(encoder_features(unet, x).back(), {1, 2, 3})).values());
}

TEST_CASE("a bag of instances is weighed by its attention") {
  AttentionMilConfig c{.encoder = {.depth = 10, .base_features = 2, .small_stem = true}, .instance = {4, 4, 4}, .attention = 3, .chunk = 3};
  CHECK(instance_grid({4, 9, 3}, c).begin[1] == std::vector<int>{0, 2, 5});
  CHECK(instance_grid({4, 9, 3}, c).size == Int3{4, 4, 3});
  CHECK(instance_grid({4, 9, 3}, c).counts() == Int3{1, 3, 1});
  c.overlap = true;
  CHECK(instance_grid({4, 8, 3}, c).begin[1] == std::vector<int>{0, 2, 4});
  c.overlap = false;
  Rng rng(4);
  AttentionMil net(c, rng);
  const Tensor x = noise_of({2, 4, 8, 12, 1});
  {
    const Inference quiet;
    const Tensor a = net.weights_of_instances(x);
    REQUIRE(a.shape() == Shape{2, 1, 2, 3});
    const std::vector<double> weights = a.values(), y = net(x).values();
    for (size_t n = 0; n < 2; ++n) {
      std::vector<double> scores, z(16);
      double total = 0;
      for (int i = 0; i < 6; ++i) {
        const Tensor h = net.encoder.pooled(crop3d(x, {0, 4 * (i / 3), 4 * (i % 3)}, {4, 4, 4})).rows(int64_t(n), int64_t(n) + 1);
        scores.push_back(std::exp(net.attention(h).item()));
        total += scores.back();
        for (size_t f = 0; f < z.size(); ++f) z[f] += scores.back() * h.values()[f];
      }
      for (size_t i = 0; i < 6; ++i) CHECK(std::abs(weights[6 * n + i] - scores[i] / total) < 1e-6);
      const std::vector<double> w = net.fc.weight.values(), b = net.fc.bias.values();
      for (size_t k = 0; k < 2; ++k) {
        double wanted = b[k];
        for (size_t f = 0; f < z.size(); ++f) wanted += w[k * z.size() + f] * z[f] / total;
        CHECK(std::abs(y[2 * n + k] - wanted) < 1e-5);
      }
    }
  }
  // What hooks see of the instances, and put in their place, is what is weighed.
  {
    const Inference quiet;
    Shape seen;
    const ForwardHooks scope(net, [&](const LayerOutput& o) {
      if (o.name != "instances") return Tensor{};
      seen = o.output.shape();
      return Tensor::zeros(seen);
    });
    const std::vector<double> y = net(x).values();
    CHECK(seen == Shape{2, 1, 2, 3, 16});
    CHECK(y[0] == net.fc.bias.values()[0]);
  }
  // The encoder that runs again gives the same gradients, and its running statistics move once.
  std::vector<std::vector<double>> grads[2], statistics[2];
  for (const bool again : {false, true}) {
    Rng same(4);
    c.checkpoint = again;
    AttentionMil one(c, same);
    backward(cross_entropy(one(x), Tensor::from({0, 1}, {2}, DType::u8)));
    for (auto& p : parameters(one)) grads[again].push_back(p.tensor.grad().values());
    for (auto& p : state_of(one)) statistics[again].push_back(p.tensor.values());
  }
  CHECK(grads[0] == grads[1]);
  CHECK(statistics[0] == statistics[1]);
}
