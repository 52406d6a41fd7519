#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// dice_weight (minus the mean soft Dice) + cross_entropy_weight (cross-entropy); formulas in soft_dice.h and cross_entropy.h. logits
// {samples, voxels, channels}, label {samples, voxels}.
struct SegmentationLoss {
  const char* op = "";
  int64_t samples, voxels, channels;
  int ignore_label;
  double dice_weight, cross_entropy_weight;
  double smoothing;                    // of the cross-entropy
  bool batch_dice, include_background; // of the Dice
  double smooth;
};

// weights {channels} of accum_of(logits) or null. Assigns loss {} and slopes {1 + 2 samples channels}: the derivatives of the loss by the
// sum of cross-entropies and, per sample and channel, by the sums of p t and of p. Throws Error that names a label beyond the channels.
void loss_forward(Cpu, const SegmentationLoss&, View logits, View label, View weights, View loss, View slopes);
void loss_forward(Cuda, const SegmentationLoss&, View logits, View label, View weights, View loss, View slopes);
// loss_forward of CUDA, but for the error: it comes back when the stream is done with it, as first_bad, a copy on the device. Where labels
// lie beyond the channels, the smallest of them; else kNoBadLabel. The loss and the slopes then mean nothing.
inline constexpr int64_t kNoBadLabel = INT64_MAX;
void loss_forward_unchecked(Cuda, const SegmentationLoss&, View logits, View label, View weights, View loss, View slopes, void* first_bad);
// gradient = seed {} times the derivative of the loss; assigned.
void loss_backward(Cpu, const SegmentationLoss&, View logits, View label, View weights, View slopes, View seed, View gradient);
void loss_backward(Cuda, const SegmentationLoss&, View logits, View label, View weights, View slopes, View seed, View gradient);

}  // namespace voxgrad
