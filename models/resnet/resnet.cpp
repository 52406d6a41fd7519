#include "models/resnet/resnet.h"

#include <algorithm>

#include "kernels/concat/concat.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/reduce/reduce.h"
#include "kernels/strided_slice/strided_slice.h"

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
    case 200: return {true, {3, 24, 36, 3}};
    default: fail("ResNetConfig: depth is ", depth, ", one of 10, 18, 34, 50, 101, 152, 200 is wanted");
  }
}

// n along every axis that the volume has.
Int3 cube(const ResNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

struct Window {
  int kernel = 3, dilation = 1;
  Int3 stride = {1, 1, 1};
};
Conv3d convolution(const ResNetConfig& c, int in, int out, const Window& w, Rng& rng, bool bias = false) {
  return Conv3d({.in = in,
                 .out = out,
                 .kernel = cube(c, w.kernel),
                 .stride = w.stride,
                 .dilation = cube(c, w.dilation),
                 .bias = bias},
                rng);
}

int dilation_of(const ResNetConfig& c, int stage) { return c.dilated && stage >= 2 ? 1 << (stage - 1) : 1; }

// The places of a block: its channels and those between its convolutions.
struct Width {
  int in, between, out;
};
bool changes(const Width& w, const Int3& stride) { return stride != Int3{1, 1, 1} || w.in != w.out; }

// window: of the convolution that is 3 wide and has the stride.
ResNetBlock block(const ResNetConfig& c, const Width& w, const Window& window, Rng& rng) {
  const bool bottleneck = layout_of(c.depth).bottleneck;
  const Window point = {.kernel = 1}, second = {.dilation = window.dilation};
  ResNetBlock b;
  b.conv1 = convolution(c, w.in, w.between, bottleneck ? point : window, rng);
  b.bn1 = BatchNorm({.channels = w.between});
  b.conv2 = bottleneck ? convolution(c, w.between, w.between, window, rng) : convolution(c, w.between, w.out, second, rng);
  b.bn2 = BatchNorm({.channels = bottleneck ? w.between : w.out});
  if (bottleneck) {
    b.conv3 = convolution(c, w.between, w.out, point, rng);
    b.bn3 = BatchNorm({.channels = w.out});
  }
  b.stride = window.stride;
  if (changes(w, window.stride) && c.shortcut == "B")
    b.downsample.emplace(convolution(c, w.in, w.out, {.kernel = 1, .stride = window.stride}, rng, c.shortcut_bias),
                         BatchNorm({.channels = w.out}));
  return b;
}

// x at every stride-th voxel, and channels of zeros behind its own: shortcut A.
Tensor padded_shortcut(const Tensor& x, const Int3& stride, int64_t channels) {
  std::vector<AxisSlice> every;
  for (int a = 0; a < 3; ++a)
    if (stride[a] != 1) every.push_back({.axis = a + 1, .step = stride[a]});
  const Tensor y = every.empty() ? x : slice(x, every);
  const int64_t missing = channels - y.dim(-1);
  return missing == 0 ? y : concat({y, Tensor::zeros(y.shape().with(4, missing), y.dtype(), y.device())}, -1);
}

constexpr double kRelu = 0;  // the slope for which a norm's activation is ReLU

}  // namespace

void validate(const ResNetConfig& c) {
  layout_of(c.depth);
  check(c.in_channels > 0, "ResNetConfig: in_channels is ", c.in_channels);
  check(c.classes > 0, "ResNetConfig: classes is ", c.classes);
  check(c.base_features > 0 && c.base_features <= 4096, "ResNetConfig: base_features is ", c.base_features, ", 1 to 4096 is wanted");
  check(c.stem_stride == 1 || c.stem_stride == 2, "ResNetConfig: stem_stride is ", c.stem_stride, ", 1 or 2 is wanted");
  check(c.flat_strides >= 0 && c.flat_strides <= 5, "ResNetConfig: flat_strides is ", c.flat_strides, ", 0 to 5 is wanted");
  check(c.shortcut == "A" || c.shortcut == "B", "ResNetConfig: shortcut is \"", c.shortcut, "\", A or B is wanted");
}

NetworkTraits traits_of(const ResNetConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false}; }

std::array<Int3, 6> strides_of(const ResNetConfig& c) {
  const int stem = c.small_stem ? 1 : c.stem_stride, pool = c.small_stem ? 1 : 2, late = c.dilated ? 1 : 2;
  std::array<Int3, 6> out;
  int flat = c.flat ? 6 : c.flat_strides;
  for (size_t i = 0; const int n : {stem, pool, 1, 2, late, late}) out[i++] = {n > 1 && flat-- > 0 ? 1 : n, n, n};
  return out;
}

int count_of_strides(const ResNetConfig& c) {
  const auto strides = strides_of(c);
  return int(std::count_if(strides.begin(), strides.end(), [](const Int3& s) { return s.h > 1; }));
}

std::vector<EncoderStage> stages_of(const ResNetConfig& c) {
  const auto strides = strides_of(c);
  const int wider = layout_of(c.depth).bottleneck ? 4 : 1;
  std::vector<EncoderStage> out;
  for (size_t s = 0; s < 4; ++s) {
    out.push_back({.channels = wider * (c.base_features << s), .stride = strides[s + 2], .kernel = cube(c, 3)});
    for (int a = 0; s == 0 && a < 3; ++a) out[0].stride[a] *= strides[0][a] * strides[1][a];
  }
  return joined_stages(out);
}

double parameters_of(const ResNetConfig& c) {
  const auto strides = strides_of(c);
  const Layout l = layout_of(c.depth);
  const auto taps = [&](int n) { return double(n) * n * (c.flat ? 1 : n); };
  double in = c.base_features, n = taps(c.small_stem ? 3 : 7) * c.in_channels * in + 2 * in;
  for (int s = 0; s < 4; ++s) {
    const double width = double(c.base_features) * (1 << s), out = l.bottleneck ? 4 * width : width;
    for (int i = 0; i < l.blocks[size_t(s)]; ++i, in = out) {
      n += l.bottleneck ? in * width + taps(3) * width * width + width * out + 4 * width + 2 * out
                        : taps(3) * (in * width + width * out) + 2 * width + 2 * out;
      const bool other = in != out || (i == 0 && strides[size_t(s) + 2] != Int3{1, 1, 1});
      if (other && c.shortcut == "B") n += in * out + 2 * out + (c.shortcut_bias ? out : 0);
    }
  }
  return n + in * c.classes + c.classes;
}

Tensor ResNetBlock::operator()(const Tensor& x) const {
  const Conv3d& last = conv3 ? *conv3 : conv2;
  const auto projected = [&] {
    const auto& [conv, bn] = downsample->layers;
    return hooked(*downsample, bn.behind(conv, {x}));
  };
  const Tensor skip = downsample ? projected() : padded_shortcut(x, stride, last.weight.dim(0));
  ConvSource y = bn1.lazily_behind(conv1, {x}, kRelu);
  if (!conv3) return hooked(*this, bn2.behind(conv2, y, skip, kRelu));
  y = bn2.lazily_behind(conv2, y, kRelu);
  return hooked(*this, bn3->behind(*conv3, y, skip, kRelu));
}

ResNet::ResNet(const ResNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  const Layout l = layout_of(c.depth);
  const auto strides = strides_of(c);
  const Window stem = {.kernel = c.small_stem ? 3 : 7, .stride = strides[0]};
  conv1 = convolution(c, c.in_channels, c.base_features, stem, rng);
  bn1 = BatchNorm({.channels = c.base_features});
  int in = c.base_features;
  std::vector<ResNetBlock>* const stages[] = {&layer1, &layer2, &layer3, &layer4};
  for (int s = 0; s < 4; ++s) {
    const int width = c.base_features << s, out = l.bottleneck ? 4 * width : width;
    for (int i = 0; i < l.blocks[size_t(s)]; ++i) {
      Window window = {.dilation = dilation_of(c, s)};
      if (i == 0) window.stride = strides[size_t(s) + 2];
      stages[s]->push_back(block(c, {in, width, out}, window, rng));
      in = out;
    }
  }
  fc = Linear({.in = in, .out = c.classes}, rng);
}

std::vector<Tensor> ResNet::features(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "ResNet: the input is ", x, ", wanted is {N, D, H, W, ",
        config.in_channels, "}");
  Tensor y = bn1.behind(conv1, {x}, {}, kRelu);
  if (!config.small_stem)
    y = max_pool3d(y, {.kernel = cube(config, 3), .stride = strides_of(config)[1], .padding = {config.flat ? 0 : 1, 1, 1}});
  std::vector<Tensor> out;
  for (const std::vector<ResNetBlock>* stage : {&layer1, &layer2, &layer3, &layer4}) {
    for (const ResNetBlock& b : *stage) y = b(y);
    out.push_back(y);
  }
  return out;
}

Tensor ResNet::pooled(const Tensor& x) const { return mean(features(x).back(), {1, 2, 3}); }
Tensor ResNet::operator()(const Tensor& x) const { return fc(pooled(x)); }

}  // namespace voxgrad
