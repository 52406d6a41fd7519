#include "infer/uniform_tiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace voxgrad {
namespace {

constexpr double kTolerance = 0.01;  // of the range
constexpr int64_t kMostKept = int64_t(256) << 20;  // bytes

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

UniformTiles::UniformTiles(const Tensor& image, bool empty) {
  if (!empty) return;
  const int64_t depth = image.dim(0), height = image.dim(1), width = image.dim(2), channels = image.dim(3);
  const float* x = image.view().as<float>();
  for (int64_t c = 0; c < channels; ++c) {
    float low = std::numeric_limits<float>::infinity(), high = -low;
    std::vector<float> faces;
    for (int64_t d = 0, v = 0; d < depth; ++d)
      for (int64_t h = 0; h < height; ++h)
        for (int64_t w = 0; w < width; ++w, ++v) {
          const float value = x[v * channels + c];
          low = std::min(low, value), high = std::max(high, value);
          if (d == 0 || h == 0 || w == 0 || d == depth - 1 || h == height - 1 || w == width - 1) faces.push_back(value);
        }
    const auto quartile = faces.begin() + int64_t(faces.size() / 4);
    std::nth_element(faces.begin(), quartile, faces.end());
    background_.push_back(*quartile);
    tolerance_.push_back(float(kTolerance) * (high - low));
  }
}

std::optional<std::vector<float>> UniformTiles::values_of(const Tensor& tile) const {
  const auto x = tile.data<float>();
  const size_t channels = size_t(tile.dim(4));
  const bool near = !background_.empty();
  const std::vector<float> values = near ? background_ : std::vector<float>(x.begin(), x.begin() + int64_t(channels));
  for (size_t i = 0; i < x.size(); i += channels)
    for (size_t c = 0; c < channels; ++c)
      if (near ? !(std::fabs(x[i + c] - values[c]) <= tolerance_[c]) : !same_bits(x[i + c], values[c])) return {};
  return values;
}

Tensor UniformTiles::tile_of(const std::vector<float>& values, const Shape& shape) const {
  const Tensor out = Tensor::empty(shape);
  float* y = out.view().as<float>();
  for (int64_t i = 0; i < out.count(); ++i) y[i] = values[size_t(i) % values.size()];
  return out;
}

Tensor UniformTiles::outputs_of(const std::vector<float>& values) const {
  const bool known = kept_ && std::equal(values.begin(), values.end(), kept_values_.begin(), kept_values_.end(), same_bits);
  return known ? kept_ : Tensor();
}

bool UniformTiles::has_room_for(const Shape& outputs) { return outputs.count() * int64_t(sizeof(float)) <= kMostKept; }

void UniformTiles::keep(const std::vector<float>& values, const Tensor& outputs) {
  if (!has_room_for(outputs.shape())) return;
  kept_values_ = values;
  kept_ = outputs;
}

}  // namespace voxgrad
