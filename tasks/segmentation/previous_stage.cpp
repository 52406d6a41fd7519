#include "tasks/segmentation/previous_stage.h"

#include <algorithm>
#include <numeric>

#include "core/lists/shuffle.h"
#include "tasks/segmentation/distance.h"
#include "tasks/segmentation/metrics/components.h"

namespace voxgrad {
namespace {

Tensor inverted(const Tensor& mask) {
  const Tensor out = mask.clone();
  for (uint8_t& v : out.mutable_data<uint8_t>()) v = !v;
  return out;
}

Tensor dilated(const Tensor& mask, double radius) {
  const Tensor out = Tensor::empty(mask.shape(), DType::u8), distance = distance_transform(mask, {1, 1, 1});
  const float* from = distance.view().as<float>();
  uint8_t* to = out.view().as<uint8_t>();
  for (int64_t i = 0; i < out.count(); ++i) to[i] = from[i] <= float(radius);
  return out;
}

Tensor eroded(const Tensor& mask, double radius) { return inverted(dilated(inverted(mask), radius)); }

// Label k as u8 {D, H, W}.
Tensor label_of(const Tensor& one_hot, int64_t k) {
  const Tensor out = Tensor::empty({one_hot.dim(1), one_hot.dim(2), one_hot.dim(3)}, DType::u8);
  const float* from = one_hot.view().as<float>();
  uint8_t* to = out.view().as<uint8_t>();
  for (int64_t i = 0; i < out.count(); ++i) to[i] = from[i * one_hot.dim(4) + k] != 0;
  return out;
}

// Half of the labels in random order.
std::vector<int64_t> drawn_labels(int64_t labels, Rng& rng) {
  std::vector<int64_t> order(static_cast<size_t>(labels)), out;
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, rng);
  for (int64_t k : order)
    if (rng.coin(0.5)) out.push_back(k);
  return out;
}

void apply_operators(const Tensor& one_hot, int radius, Rng rng) {
  const int64_t labels = one_hot.dim(4);
  for (int64_t k : drawn_labels(labels, rng)) {
    const BallOperator how = BallOperator(rng.below(4));
    const Tensor before = label_of(one_hot, k), after = apply_ball(before, how, double(1 + rng.below(radius)));
    float* x = one_hot.view().as<float>();
    const uint8_t *was = before.view().as<uint8_t>(), *is = after.view().as<uint8_t>();
    for (int64_t v = 0; v < before.count(); ++v) {
      if (is[v] && !was[v]) std::fill_n(x + v * labels, labels, 0.f);
      x[v * labels + k] = is[v];
    }
  }
}

void remove_parts(const Tensor& one_hot, double largest, Rng rng) {
  const int64_t labels = one_hot.dim(4), voxels = one_hot.count() / labels;
  for (int64_t k : drawn_labels(labels, rng)) {
    const Components parts = connected_components(label_of(one_hot, k));
    std::vector<int32_t> small;
    for (int i = 0; i < parts.count(); ++i)
      if (double(parts.voxels[size_t(i)]) < largest * double(voxels)) small.push_back(i + 1);
    if (small.empty()) continue;
    const int32_t gone = small[size_t(rng.below(int64_t(small.size())))];
    float* x = one_hot.view().as<float>();
    for (int64_t v = 0; v < voxels; ++v)
      if (parts.number[size_t(v)] == gone) x[v * labels + k] = 0;
  }
}

}  // namespace

Tensor apply_ball(const Tensor& mask, BallOperator how, double radius) {
  switch (how) {
    case BallOperator::dilate: return dilated(mask, radius);
    case BallOperator::erode: return eroded(mask, radius);
    case BallOperator::close: return eroded(dilated(mask, radius), radius);
    default: return dilated(eroded(mask, radius), radius);
  }
}

void change_previous(const Tensor& one_hot, const PreviousChanges& c, const Rng& given) {
  Rng rng = given;
  if (rng.coin(c.operators)) apply_operators(one_hot, c.radius, rng.split());
  if (rng.coin(c.removal)) remove_parts(one_hot, c.largest, rng.split());
}

}  // namespace voxgrad
