#pragma once
#include "tasks/detection/box.h"

namespace voxgrad {

// A box that one of several predictions gave, such as that of a tile or of a mirror image.
struct VotedBox {
  ObjectBox box;
  double weight = 1;    // of that prediction there
  double expected = 1;  // how many predictions saw the place
};
// Weighted box clustering (Jaeger et al. 2018, Retina U-Net; nnDetection), within each class: the best box that is left and all that
// overlap it by more than `iou` become one, whose corners are the mean of theirs by iou w s, with the overlap with the best one, the weight
// and the score s, and whose score is
//   sum(iou w s) / (sum(iou w) + missing mean(iou w)), missing = max(0, mean(expected) - how many they are).
// Best first; the order of equal scores is that given.
std::vector<ObjectBox> clustered(const std::vector<VotedBox>&, double iou);

}  // namespace voxgrad
