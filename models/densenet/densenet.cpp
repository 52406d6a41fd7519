#include "models/densenet/densenet.h"

#include <algorithm>
#include <array>

#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/concat/concat.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

constexpr double kDenseRelu = 0;  // the slope for which a norm's activation is ReLU
constexpr int kBottleneck = 4;  // channels between the convolutions of a layer, in growths

std::array<int, 4> layers_of(int depth) {
  switch (depth) {
    case 121: return {6, 12, 24, 16};
    case 161: return {6, 12, 36, 24};
    case 169: return {6, 12, 32, 32};
    case 201: return {6, 12, 48, 32};
    case 264: return {6, 12, 64, 48};
    default: fail("DenseNetConfig: depth is ", depth, ", one of 121, 161, 169, 201, 264 is wanted");
  }
}

int growth_of(const DenseNetConfig& c) { return c.growth > 0 ? c.growth : c.depth == 161 ? 48 : 32; }
int stem_of(const DenseNetConfig& c) { return c.base_features > 0 ? c.base_features : 2 * growth_of(c); }

Int3 cube(const DenseNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

Conv3d convolution(const DenseNetConfig& c, int in, int out, int kernel, int stride, Rng& rng) {
  return Conv3d({.in = in, .out = out, .kernel = cube(c, kernel), .stride = cube(c, stride), .bias = false}, rng);
}

Tensor dense_concat(const std::vector<Tensor>& parts) { return parts.size() == 1 ? parts[0] : concat(parts, -1); }

DenseLayer layer(const DenseNetConfig& c, int in, Rng& rng) {
  const int growth = growth_of(c), between = kBottleneck * growth;
  DenseLayer l{.norm1 = BatchNorm({.channels = in})};
  l.conv1 = convolution(c, in, between, 1, 1, rng);
  l.norm2 = BatchNorm({.channels = between});
  l.conv2 = convolution(c, between, growth, 3, 1, rng);
  if (c.dropout > 0) l.drop.emplace(Dropout{.p = c.dropout});
  return l;
}

}  // namespace

void validate(const DenseNetConfig& c) {
  layers_of(c.depth);
  check(c.in_channels > 0, "DenseNetConfig: in_channels is ", c.in_channels);
  check(c.classes > 0, "DenseNetConfig: classes is ", c.classes);
  check(c.growth >= 0 && c.growth <= 1024, "DenseNetConfig: growth is ", c.growth, ", 0 to 1024 is wanted");
  check(c.base_features >= 0 && c.base_features <= 4096, "DenseNetConfig: base_features is ", c.base_features, ", 0 to 4096 is wanted");
  check(c.dropout >= 0 && c.dropout < 1, "DenseNetConfig: dropout is ", c.dropout, ", 0 to below 1 is wanted");
}

NetworkTraits traits_of(const DenseNetConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false}; }

double parameters_of(const DenseNetConfig& c) {
  const auto taps = [&](int n) { return double(n) * n * (c.flat ? 1 : n); };
  const double growth = growth_of(c), between = kBottleneck * growth;
  double in = stem_of(c), n = taps(c.small_stem ? 3 : 7) * c.in_channels * in + 2 * in;
  int block = 0;
  for (const int count : layers_of(c.depth)) {
    for (int i = 0; i < count; ++i, in += growth) n += 2 * in + in * between + 2 * between + taps(3) * between * growth;
    if (++block == 4) break;
    const double out = double(int(in) / 2);
    n += 2 * in + in * out;
    in = out;
  }
  return n + 2 * in + in * c.classes + c.classes;
}

Tensor DenseLayer::operator()(const std::vector<Tensor>& parts) const {
  ConvSource z = norm1.lazily(dense_concat(parts), kDenseRelu);
  if (z.normalised && parts.size() > 1) z.parts = parts;
  const Tensor y = conv2(norm2.lazily_behind(conv1, z, kDenseRelu));
  return hooked(*this, drop ? (*drop)(y) : y);
}

// Every layer reads the concatenation of all before it. Of large volumes it keeps the parts, of which there are never many, since their
// gradients are summed one by one: every fourth layer's concatenation becomes the first part of those behind it. So the memory is a quarter
// of that of a concatenation for each layer, which is made again backward: a step on 2 x 128^3 takes 1097 in place of 1270 MB and 1.5 to 2
// % longer (voxgrad_bench --filter '^step/densenet' with that size, two cores), on 2 x 64^3, where weights are most of it, 193 for 201 MB
// and 2 to 4 % longer. Statistics of a part are the same for every later layer. Taking them once was weighed and left: all statistics
// are 1.6 % of a step's time (2 x 64^3, and 1.4 % on 2 x 128^3; perf of the same), of which those of a layer's second norm would stay.
Tensor DenseBlock::operator()(const Tensor& x, bool in_parts) const {
  const size_t most_parts = in_parts ? 4 : 1;
  std::vector<Tensor> parts = {x};
  for (const DenseLayer& l : layers) {
    parts.push_back(l(parts));
    if (parts.size() > most_parts) parts = {dense_concat(parts)};
  }
  return hooked(*this, dense_concat(parts));
}

void DenseBlock::walk_fields(FieldVisitor& v, const std::string& path) {
  for (size_t i = 0; i < layers.size(); ++i) visit_fields(layers[i], v, detail::join(path, "denselayer" + std::to_string(i + 1)));
}

// The mean over windows and the convolution of single voxels commute, and behind the pooling there is an eighth of the voxels.
Tensor DenseTransition::operator()(const Tensor& x) const {
  Int3 window;
  for (int a = 0; a < 3; ++a) window[a] = flat && a == 0 ? 1 : int(std::min<int64_t>(2, x.dim(a + 1)));
  return hooked(*this, conv(avg_pool3d(norm(x, {}, kDenseRelu), {.kernel = window})));
}

DenseNet::DenseNet(const DenseNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  DenseFeatures& f = features;
  int in = stem_of(c);
  f.conv0 = c.small_stem ? convolution(c, c.in_channels, in, 3, 1, rng) : convolution(c, c.in_channels, in, 7, 2, rng);
  f.norm0 = BatchNorm({.channels = in});
  DenseBlock* const blocks[] = {&f.denseblock1, &f.denseblock2, &f.denseblock3, &f.denseblock4};
  DenseTransition* const transitions[] = {&f.transition1, &f.transition2, &f.transition3};
  const std::array<int, 4> counts = layers_of(c.depth);
  for (size_t b = 0; b < 4; ++b) {
    for (int i = 0; i < counts[b]; ++i, in += growth_of(c)) blocks[b]->layers.push_back(layer(c, in, rng));
    if (b == 3) break;
    *transitions[b] = {.norm = BatchNorm({.channels = in}), .conv = convolution(c, in, in / 2, 1, 1, rng), .flat = c.flat};
    in /= 2;
  }
  f.norm5 = BatchNorm({.channels = in});
  classifier = Linear({.in = in, .out = c.classes}, rng);
}

std::vector<EncoderStage> stages_of(const DenseNetConfig& c) {
  std::vector<EncoderStage> out;
  int channels = stem_of(c);
  for (const int count : layers_of(c.depth)) {
    const int stride = out.empty() ? (c.small_stem ? 1 : 4) : 2;
    channels += count * growth_of(c);
    out.push_back({.channels = channels, .stride = cube(c, stride), .kernel = cube(c, 3)});
    channels /= 2;
  }
  return joined_stages(out);
}

std::vector<Tensor> DenseNet::stages(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "DenseNet: the input is ", x, ", wanted is {N, D, H, W, ",
        config.in_channels, "}");
  const DenseFeatures& f = features;
  Tensor y = f.norm0.behind(f.conv0, {x}, {}, kDenseRelu);
  if (!config.small_stem) y = max_pool3d(y, {.kernel = cube(config, 3), .stride = cube(config, 2), .padding = {config.flat ? 0 : 1, 1, 1}});
  constexpr int64_t kManyVoxels = 1 << 15;
  const bool in_parts = y.count() / y.dim(-1) >= kManyVoxels;
  std::vector<Tensor> out = {f.denseblock1(y, in_parts)};
  out.push_back(f.denseblock2(f.transition1(out.back()), in_parts));
  out.push_back(f.denseblock3(f.transition2(out.back()), in_parts));
  out.push_back(f.denseblock4(f.transition3(out.back()), in_parts));
  return out;
}

Tensor DenseNet::last_features(const Tensor& x) const { return features.norm5(stages(x).back(), {}, kDenseRelu); }

Tensor DenseNet::operator()(const Tensor& x) const { return classifier(mean(last_features(x), {1, 2, 3})); }

}  // namespace voxgrad
