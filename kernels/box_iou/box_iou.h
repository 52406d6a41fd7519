#pragma once
#include "core/tensor.h"

// Boxes are rows of six numbers, lowest corner (d, h, w) and highest corner, f32 or f64: real edges, so that a box is as long as their
// difference. A 2D box is one voxel thick along D. One that has no length along an axis, or a negative one, has no volume: it overlaps
// nothing, and every ratio with it is 0.
namespace voxgrad {

struct BoxIouOptions {
  // Generalised: IoU - (hull - union) / hull, from -1 to 1 (Rezatofighi et al., CVPR 2019); the hull is the least box around both.
  bool generalized = false;
};
// Intersection over union of each box of a {N, 6} with each of b {M, 6}: {N, M}. No gradient.
Tensor box_iou(const Tensor& a, const Tensor& b, const BoxIouOptions& = {});

// 1 - generalised IoU of row i of a with row i of b, {N, 6} each: {N}. Gradients reach both, those of edges that are equal as if the edge
// of `a` were the inner one. Saves a and b.
Tensor giou_loss(const Tensor& a, const Tensor& b);

}  // namespace voxgrad
