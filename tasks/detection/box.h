#pragma once
#include <vector>

#include "augment/sample.h"

namespace voxgrad {

// Places in voxels (d, h, w), the centre of the first voxel at 0: voxels a to b are the box a - 1/2 to b + 1/2, as in fields of boxes.
struct ObjectBox {
  Double3 low = {}, high = {};
  int label = 0;     // the number of its class
  double score = 1;  // of a prediction
  Double3 centre() const { return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2}; }
  Double3 size() const { return {high[0] - low[0], high[1] - low[1], high[2] - low[2]}; }
};

// Intersection over union (kernels/box_iou), whatever the classes.
double iou_of(const ObjectBox&, const ObjectBox&);

// The data of a field of kind boxes, f32 {B, 7}: corners and class; and back, of rows [begin, end).
Tensor rows_of(const std::vector<ObjectBox>&);
std::vector<ObjectBox> boxes_from(const Tensor& rows, int64_t begin, int64_t end);

// What non-maximum suppression within each class leaves (kernels/nms), best first.
std::vector<ObjectBox> best_of(const std::vector<ObjectBox>&, double iou, int64_t keep = -1);

}  // namespace voxgrad
