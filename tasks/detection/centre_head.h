#pragma once
#include "tasks/detection/box.h"

// What a network with heat maps of centres gives, and what it learns by: for an input of extents E and outputs of extents e, a cell is a
// place of the outputs, E / e voxels wide along each axis. Of six numbers (o, z) at a cell whose middle is at m, the box there has its
// centre at m + o cells and the size unit e^z, where unit is the usual size of boxes in voxels.
namespace voxgrad {

struct CentreLossWeights {
  double heat = 1, giou = 1, l1 = 0.2;
};
struct CentreTargets {
  std::vector<std::vector<ObjectBox>> boxes;  // of each sample, in voxels of the input
  std::vector<Double3> unit;            // of each sample
  Int3 input;                           // extents
};
// heat {N, d, h, w, K} logits and numbers {N, d, h, w, 6}. The sum of
//   the focal loss of the heat maps (kernels/heatmap_loss), whose target is at most 1, at the cell with the centre of a box, and falls
//   around it as a Gaussian with sigma = 0.09 size + 1/6 cells (Liu et al., AAAI 2020, TTFNet);
//   generalised IoU and L1 (of centres in sizes of the box, of z) over the cells where that Gaussian is above 0.4. A box counts the same
//   whatever the number of its cells, a cell of several boxes learns the one whose Gaussian is highest there.
// A scalar of accum_of(dtype).
Tensor centre_loss(const Tensor& heat, const Tensor& numbers, const CentreTargets&, const CentreLossWeights& = {});

struct CentreDecoding {
  double min_score = 0.05;
  int64_t keep = 1000;  // of the best centres
};
// The boxes of sample n in voxels of the input, best first: those of cells whose probability is at least min_score and no less than that of
// the same class in all 26 neighbours; of equal neighbours the first is one.
std::vector<ObjectBox> decode_centres(const Tensor& heat, const Tensor& numbers, int64_t n, const Int3& input, const Double3& unit,
                                const CentreDecoding& = {});

}  // namespace voxgrad
