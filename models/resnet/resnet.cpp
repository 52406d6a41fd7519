#include "models/resnet/resnet.h"

#include <array>

#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

struct Layout {
  bool bottleneck;
  std::array<int, 4> blocks;
};

Layout layout_of(int depth) {
  switch (depth) {
    case 10: return {false, {1, 1, 1, 1}};
    case 18: return {false, {2, 2, 2, 2}};
    case 34: return {false, {3, 4, 6, 3}};
    case 50: return {true, {3, 4, 6, 3}};
    case 101: return {true, {3, 4, 23, 3}};
    case 152: return {true, {3, 8, 36, 3}};
    default: fail("ResNetConfig: depth is ", depth, ", one of 10, 18, 34, 50, 101, 152 is wanted");
  }
}

// n along every axis that the volume has.
Int3 cube(const ResNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

Conv3d convolution(const ResNetConfig& c, int in, int out, int kernel, int stride, Rng& rng) {
  return Conv3d({.in = in, .out = out, .kernel = cube(c, kernel), .stride = cube(c, stride), .bias = false}, rng);
}

ResNetBlock block(const ResNetConfig& c, int in, int width, int out, int stride, Rng& rng) {
  const bool bottleneck = layout_of(c.depth).bottleneck;
  ResNetBlock b;
  b.conv1 = bottleneck ? convolution(c, in, width, 1, 1, rng) : convolution(c, in, width, 3, stride, rng);
  b.bn1 = BatchNorm({.channels = width});
  b.conv2 = bottleneck ? convolution(c, width, width, 3, stride, rng) : convolution(c, width, out, 3, 1, rng);
  b.bn2 = BatchNorm({.channels = bottleneck ? width : out});
  if (bottleneck) {
    b.conv3 = convolution(c, width, out, 1, 1, rng);
    b.bn3 = BatchNorm({.channels = out});
  }
  if (stride != 1 || in != out) b.downsample.emplace(convolution(c, in, out, 1, stride, rng), BatchNorm({.channels = out}));
  return b;
}

constexpr double kRelu = 0;  // the slope for which a norm's activation is ReLU

}  // namespace

void validate(const ResNetConfig& c) {
  layout_of(c.depth);
  check(c.in_channels > 0, "ResNetConfig: in_channels is ", c.in_channels);
  check(c.classes > 0, "ResNetConfig: classes is ", c.classes);
  check(c.base_features > 0 && c.base_features <= 4096, "ResNetConfig: base_features is ", c.base_features, ", 1 to 4096 is wanted");
}

NetworkTraits traits_of(const ResNetConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false}; }

double least_weights(const ResNetConfig& c) {
  const Layout l = layout_of(c.depth);
  double n = 0;
  for (int s = 0; s < 4; ++s) {
    const double width = double(c.base_features) * (1 << s);
    n += (l.blocks[size_t(s)] - 1) * width * width * (c.flat ? 9 : 27);
  }
  return n;
}

Tensor ResNetBlock::operator()(const Tensor& x) const {
  const Tensor skip = downsample ? (*downsample)(x) : x;
  Tensor y = bn1(conv1(x), {}, kRelu);
  if (!conv3) return bn2(conv2(y), skip, kRelu);
  y = bn2(conv2(y), {}, kRelu);
  return (*bn3)((*conv3)(y), skip, kRelu);
}

ResNet::ResNet(const ResNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  const Layout l = layout_of(c.depth);
  conv1 = c.small_stem ? convolution(c, c.in_channels, c.base_features, 3, 1, rng)
                       : convolution(c, c.in_channels, c.base_features, 7, 2, rng);
  bn1 = BatchNorm({.channels = c.base_features});
  int in = c.base_features;
  std::vector<ResNetBlock>* const stages[] = {&layer1, &layer2, &layer3, &layer4};
  for (int s = 0; s < 4; ++s) {
    const int width = c.base_features << s, out = l.bottleneck ? 4 * width : width;
    for (int i = 0; i < l.blocks[size_t(s)]; ++i) {
      stages[s]->push_back(block(c, in, width, out, s > 0 && i == 0 ? 2 : 1, rng));
      in = out;
    }
  }
  fc = Linear({.in = in, .out = c.classes}, rng);
}

std::vector<Tensor> ResNet::features(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "ResNet: the input is ", x, ", wanted is {N, D, H, W, ",
        config.in_channels, "}");
  Tensor y = bn1(conv1(x), {}, kRelu);
  if (!config.small_stem) y = max_pool3d(y, {.kernel = cube(config, 3), .stride = cube(config, 2), .padding = {config.flat ? 0 : 1, 1, 1}});
  std::vector<Tensor> out;
  for (const std::vector<ResNetBlock>* stage : {&layer1, &layer2, &layer3, &layer4}) {
    for (const ResNetBlock& b : *stage) y = b(y);
    out.push_back(y);
  }
  return out;
}

Tensor ResNet::operator()(const Tensor& x) const { return fc(mean(features(x).back(), {1, 2, 3})); }

}  // namespace voxgrad
