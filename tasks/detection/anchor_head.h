#pragma once
#include "tasks/detection/box.h"

// What a network with anchors gives, and what it learns by. For an input of extents E, a level with outputs of extents e has a place every
// E / e voxels along each axis, and there an anchor of each shape: its centre is the middle of the place, its size the shape, enlarged by
// the stride of the level over that of the first one. Four of an anchor's size s and centre c and of the deltas (o, z) the box has the
// centre c + s o and the size s e^z (Ren et al. 2015).
namespace voxgrad {

using AnchorShape = Double3;  // voxels along d, h, w

struct AnchorTargets {
  std::vector<std::vector<ObjectBox>> boxes;      // of each sample, in voxels of the input
  std::vector<std::vector<AnchorShape>> shapes;   // of each sample, at the first level
  Int3 input;                                     // extents
};
struct AnchorLoss {
  std::string classes = "focal";  // or sampled: balanced cross-entropy with hard negatives
  double class_weight = 1, giou = 2, l1 = 0;
  int per_image = 32, pool = 20;  // of sampled: anchors of an image, and times the negatives wanted those that are the hardest
  double positive_part = 0.33;    // of these
};
// outputs: logits {N, d, h, w, A K} and deltas {N, d, h, w, 6 A} of each level, the finest first. Anchors are matched by match_anchors. The
// sum of
//   focal: the focal loss (kernels/heatmap_loss with beta 0) over all anchors and classes, divided by the number of positives; sampled: the
//     mean cross-entropy over min(positives, positive_part per_image N) of these and twice that many negatives (1 at the least), each
//     pool-th of the hardest of the whole batch (nnDetection);
//   1 - generalised IoU and L1 of the deltas, means over the positives.
// A scalar of accum_of(dtype).
Tensor anchor_loss(const std::vector<Tensor>& outputs, const AnchorTargets&, const AnchorLoss& = {});

// The places of a level.
struct AnchorLevel {
  int64_t size[3];
  double stride[3], scale[3];  // of shapes
};
std::vector<AnchorLevel> anchor_levels(const std::vector<Tensor>& outputs, const Int3& input);
// The anchors of all levels, one below the other: level, place, shape.
std::vector<ObjectBox> anchors_of(const std::vector<AnchorLevel>&, const std::vector<AnchorShape>&);
// ATSS (Zhang et al., CVPR 2020; nnDetection): for each box and level the anchors of the `nearest` places (by the distance of centres, of
// equal ones the first) are candidates; those whose overlap with it is at least mean + standard deviation (n - 1) of all its candidates are
// positive; one that is so for several boxes has that of the largest overlap. The number of the box for each anchor, -1: none.
std::vector<int64_t> match_anchors(const std::vector<ObjectBox>& boxes, const std::vector<AnchorLevel>&, const std::vector<AnchorShape>&,
                                   int nearest = 4);

// The boxes of sample n whose score is at least min_score, at most `keep` of the best of each level.
struct AnchorDecoding {
  double min_score = 0.05;
  int64_t keep = 1000;
};
std::vector<ObjectBox> decode_anchors(const std::vector<Tensor>& outputs, int64_t n, const Int3& input,
                                      const std::vector<AnchorShape>& shapes, const AnchorDecoding& = {});

// Shapes for boxes of these sizes: those whose mean best overlap, centres laid on one another, with the boxes at `levels` scales of 1, 2,
// 4, .. is largest that coordinate descent finds from quantiles. Sorted by volume.
std::vector<AnchorShape> fitted_shapes(const std::vector<Double3>& sizes, int count, int levels);

}  // namespace voxgrad
