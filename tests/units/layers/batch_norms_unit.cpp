// Batch norms within a graph that convolutions read through, or end with, against stored ones.
#include <cmath>
#include <functional>

#include "core/autograd.h"
#include "core/graph.h"
#include "core/training.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "layers/blocks.h"
#include "models/densenet/densenet.h"
#include "models/dncnn/dncnn.h"
#include "models/meshnet/meshnet.h"
#include "models/res_unet/res_unet.h"
#include "models/resnet/resnet.h"
#include "models/segresnet/segresnet.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

int count_of(const std::string& op, const std::string& graph) {
  int n = 0;
  for (size_t at = 0; (at = graph.find(op + "(", at)) != std::string::npos; ++at)
    n += at == 0 || (!std::isalnum(graph[at - 1]) && graph[at - 1] != '_');
  return n;
}

// What a step leaves: the output, gradients and buffers, and its graph.
struct Step {
  std::vector<std::pair<std::string, Tensor>> left;
  std::string graph;
};

template <class M>
Step step_of(M& net, const std::function<Tensor(M&, const Tensor&)>& f, const Shape& shape) {
  Tensor x = noise(shape, 7).require_grad();
  const Tensor y = f(net, x);
  Step s;
  s.graph = describe_graph(y);
  s.left.emplace_back("output", y.detach());
  backward(y, noise(y.shape(), 8));
  s.left.emplace_back("input", x.grad());
  for (auto& p : parameters(net)) {
    if (!p.tensor.requires_grad()) continue;
    s.left.emplace_back(p.name, p.tensor.grad());
    p.tensor.clear_grad();
  }
  for (auto& p : state_of(net))
    if (!p.tensor.requires_grad()) s.left.emplace_back(p.name, p.tensor.clone());
  return s;
}

// With hooks norms are stored. So many are without; on the CPU they are where a convolution has up to 512 outputs of a channel. `ended` are
// part of the convolution before them.
template <class M>
void check_net(const char* name, M net, const std::function<Tensor(M&, const Tensor&)>& f, const Shape& shape, int stored, int all,
               int ended = 0) {
  M copy = clone(net);
  const Step got = step_of<M>(net, f, shape);
  const ForwardHooks scope(copy, [](const LayerOutput&) {});
  const Step wanted = step_of<M>(copy, f, shape);
  CAPTURE(name, got.graph);
  CHECK(count_of("batch_norm_act", got.graph) == stored);
  CHECK(count_of("conv3d_batch_norm_act", got.graph) == ended);
  CHECK(count_of("batch_norm_act", wanted.graph) == all);
  REQUIRE(got.left.size() == wanted.left.size());
  for (size_t i = 0; i < got.left.size(); ++i) {
    double most = 1e-3;
    for (const double v : wanted.left[i].second.values()) most = std::fmax(most, std::abs(v));
    CAPTURE(got.left[i].first, most);
    REQUIRE(got.left[i].first == wanted.left[i].first);
    CHECK(difference(got.left[i].second, wanted.left[i].second) <= 1e-3 * most);
  }
}

template <class M>
std::function<Tensor(M&, const Tensor&)> called() {
  return [](M& net, const Tensor& x) { return net(x); };
}

}  // namespace

TEST_CASE("networks train through batch norms that their convolutions read as with stored ones") {
  Rng rng(5);
  const BlockLayer layer{.in = 3, .out = 8, .norm = NormKind::batch};
  check_net("stack", ConvStack(layer, 3, rng), called<ConvStack>(), {2, 8, 6, 7, 3}, 1, 3);
  check_net("residual", ResidualStack(layer, 2, rng), called<ResidualStack>(), {2, 8, 6, 7, 3}, 3, 5);
  const ResNetConfig resnet{.base_features = 4, .small_stem = true};
  for (const int depth : {10, 50}) {
    ResNetConfig c = resnet;
    c.depth = depth;
    // Of 4 blocks with 2 norms and of 16 with 3, the last ones and, where voxels are few, the others; of the stem; of 3 or 4 skips.
    const int blocks = depth == 10 ? 4 : 16, skips = depth == 10 ? 3 : 4, few = depth == 10 ? 2 : 2 * (6 + 3);
    check_net("ResNet", ResNet(c, rng), called<ResNet>(), {2, 16, 16, 16, 1}, blocks + skips + 1 + few,
              blocks * (depth == 10 ? 2 : 3) + skips + 1);
  }
  // Stored: of the stem, the transitions and the end; the two norms of a layer of the first block are not, which has voxels enough.
  check_net("DenseNet", DenseNet({.growth = 4, .small_stem = true}, rng), called<DenseNet>(), {2, 8, 8, 8, 1}, 5 + 2 * 52, 5 + 2 * 58);
  const DenseNet dense({.growth = 4, .small_stem = true}, rng);
  check_net<DenseBlock>("block in parts", dense.features.denseblock1, [](DenseBlock& b, const Tensor& x) { return b(x, true); },
                        {2, 8, 8, 8, 8}, 0, 12);
  check_net("SegResNet", SegResNet({.features = 4, .blocks_down = {1, 1}, .blocks_up = {1}, .norm = "batch"}, rng), called<SegResNet>(),
            {6, 8, 8, 12, 1}, 0, 7);
  check_net("DnCNN", DnCnn({.features = 6, .depth = 4}, rng), called<DnCnn>(), {2, 8, 6, 7, 1}, 0, 2);
  // A dilation of 4 does not divide 6 voxels: its input is stored.
  check_net("MeshNet", MeshNet({.features = 6, .dilations = {1, 1, 2, 4}}, rng), called<MeshNet>(), {3, 6, 6, 6, 1}, 1, 4);
  check_net("ResUNet", ResUNet({.channels = {4, 8}, .strides = {2}, .units = 2, .norm = "batch", .activation = "relu"}, rng),
            called<ResUNet>(), {3, 16, 16, 8, 1}, 3, 5);
  UNetConfig unet = UNetConfig::plain({.stages = 3, .base_features = 4});
  unet.norm = NormKind::batch;
  unet.deep_supervision = false;
  // Of two convolutions a stage, two of these of many voxels and three of few: of the former the first norms are not stored, nor the last
  // one, which a head reads.
  check_net<UNet>("U-Net", UNet(unet, rng), [](UNet& net, const Tensor& x) { return net(x)[0]; }, {2, 8, 8, 8, 1}, 7, 10);
}

TEST_CASE("networks train by running statistics as with stored norms, with scales that are trained and frozen ones") {
  Rng rng(9);
  // Of a network whose norms have learned something.
  const auto at_rest = [](auto net, bool frozen) {
    eval(net);
    uint64_t seed = 30;
    walk(net, [&](const std::string& name, Tensor& t) {
      const bool mean = name.ends_with("running_mean"), variance = name.ends_with("running_var");
      if (mean || variance) t.copy_from(noise(t.shape(), ++seed) * (mean ? 0.25 : 0.5) + (mean ? 0 : 1.));
      const bool of_norm = t.shape().rank == 1 && !name.starts_with("fc") && !name.starts_with("classifier");
      if (frozen && of_norm) t.require_grad(false);
    });
    return net;
  };
  const ResNetConfig resnet{.base_features = 4, .small_stem = true};
  for (const int depth : {10, 50}) {
    ResNetConfig c = resnet;
    c.depth = depth;
    const int blocks = depth == 10 ? 4 : 16, skips = depth == 10 ? 3 : 4, few = depth == 10 ? 2 : 2 * (6 + 3);
    const int all = blocks * (depth == 10 ? 2 : 3) + skips + 1;
    // Those that are trained are stored where they are with statistics of batches.
    check_net("ResNet", at_rest(ResNet(c, rng), false), called<ResNet>(), {2, 16, 16, 16, 1}, blocks + skips + 1 + few, all);
    check_net("ResNet, frozen", at_rest(ResNet(c, rng), true), called<ResNet>(), {2, 16, 16, 16, 1}, 0, all, all);
  }
  // In a dense network only the norm of the stem ends a convolution: the others that could are behind one that reads through a norm.
  const DenseNetConfig dense{.growth = 4, .small_stem = true};
  check_net("DenseNet", at_rest(DenseNet(dense, rng), false), called<DenseNet>(), {2, 8, 8, 8, 1}, 5 + 2 * 52, 5 + 2 * 58);
  check_net("DenseNet, frozen", at_rest(DenseNet(dense, rng), true), called<DenseNet>(), {2, 8, 8, 8, 1}, 4 + 2 * 52, 5 + 2 * 58, 1);
  check_net("DnCNN", at_rest(DnCnn({.features = 6, .depth = 4}, rng), false), called<DnCnn>(), {2, 8, 6, 7, 1}, 0, 2);
  check_net("SegResNet",
            at_rest(SegResNet({.features = 4, .blocks_down = {1, 1}, .blocks_up = {1}, .norm = "batch"}, rng), false),
            called<SegResNet>(), {6, 8, 8, 12, 1}, 0, 7);
}

TEST_CASE("a dense block keeps what its layers give and not a concatenation for each") {
  Rng rng(11);
  const DenseNet net({.growth = 8, .base_features = 32, .small_stem = true}, rng);
  const Tensor x = noise({2, 8, 8, 8, 32}, 1).require_grad();
  const auto held = [] { return memory_stats(Device{}).in_use; };
  const auto before = held();
  const Tensor y = net.features.denseblock1(x, true);
  // Of 6 layers what is between their convolutions and what they give, the concatenation behind the fourth and the last one; with one
  // for each layer it would be 552, and the allocator rounds up.
  const int64_t channels = 6 * 32 + 6 * 8 + 64 + 80;
  CHECK(int64_t(held() - before) < (channels + 90) * 1024 * 4);
}

TEST_CASE("a batch norm that its convolution reads moves its running statistics once, also in a checkpoint, and not at rest") {
  Rng rng(6);
  ConvStack net({.in = 2, .out = 4, .norm = NormKind::batch}, 2, rng);
  ConvStack kept = clone(net), stored = clone(net);
  Tensor x = noise({2, 6, 7, 8, 2}, 1).require_grad();
  const auto running = [](const ConvStack& of) {
    std::vector<double> out;
    for (const ConvBlock& b : of.blocks)
      for (const Tensor& t : {b.norm.batch->running_mean, b.norm.batch->running_var})
        for (const double v : t.values()) out.push_back(v);
    return out;
  };
  const Tensor seed = noise({2, 6, 7, 8, 4}, 2);
  backward(net(x), seed);
  const std::vector<double> of_x = x.grad().values(), moved = running(net);
  x.clear_grad();
  backward(checkpoint([&](const Tensor& z) { return kept(z); }, x), seed);
  CHECK(x.grad().values() == of_x);
  CHECK(running(kept) == moved);
  Tensor y = x.detach();
  for (const ConvBlock& b : stored.blocks) y = leaky_relu(b.norm(b.conv(y)));
  const std::vector<double> wanted = running(stored);
  for (size_t i = 0; i < moved.size(); ++i) CHECK(std::abs(moved[i] - wanted[i]) <= 1e-5 * std::abs(wanted[i]) + 1e-7);
  // Who uses the running ones leaves them, within a graph too.
  eval(net.blocks[0]);
  const Tensor z = net(x);
  CHECK(count_of("batch_norm_act", describe_graph(z)) == 1);
  const std::vector<double> after = running(net);
  CHECK(std::equal(moved.begin(), moved.begin() + 8, after.begin()));
  CHECK_FALSE(std::equal(moved.begin() + 8, moved.end(), after.begin() + 8));
  CHECK(net.blocks[0].norm.lazily(z).constant);
  CHECK(net.blocks[1].norm.lazily(z).normalised);
  CHECK(running(net) != after);
  {
    const Inference scope;
    const std::vector<double> before = running(net);
    net(x);
    CHECK_FALSE(net.blocks[0].norm.lazily(z).normalised);
    CHECK_FALSE(net.blocks[1].norm.lazily(z).normalised);
    CHECK(running(net) == before);
  }
}
