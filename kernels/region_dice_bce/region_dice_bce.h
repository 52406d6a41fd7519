#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct RegionDiceBceOptions {
  double dice_weight = 1, cross_entropy_weight = 1;
  bool batch_dice = false;  // sums of the Dice run over the batch too, and not per sample
  double smooth = 1e-5;     // > 0
  int ignore_label = -1;    // voxels with this label count for nothing
};

// Regions that may overlap: logits {N, .., R}, label u8 {N, ..}, p = sigmoid(logits), t = members[label], where members f32 {256, R} has 1
// where a label value belongs to a region and 0 elsewhere. With sums over the voxels v that are not ignored,
//   - dice_weight mean over samples and regions of (2 sum_v p t + smooth) / (sum_v p + sum_v t + smooth)
//   + cross_entropy_weight mean over voxels and regions of -t ln p - (1 - t) ln(1 - p),
// a scalar of accum_of(logits.dtype): nnU-Net's DC_and_BCE_loss, which with an ignored label adds up its cross-entropies over the regions
// instead of averaging them; here ignoring nothing changes nothing. Where every voxel is ignored it is -dice_weight. A composition of the
// library's ops, which keep some tensors of the size of the logits.
Tensor region_dice_bce(const Tensor& logits, const Tensor& label, const Tensor& members, const RegionDiceBceOptions& = {});

}  // namespace voxgrad
