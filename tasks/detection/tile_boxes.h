#pragma once
#include <functional>

#include "infer/predict.h"
#include "tasks/detection/box_clusters.h"

namespace voxgrad {

struct TileBoxOptions {
  double nms = 0.5;         // overlap above which a box of a tile is dropped for a better one of its class
  double merge = 0.5;       // overlap above which boxes of several tiles and mirror images are one (box_clusters.h)
  double min_score = 0.05;  // of what comes out of that
  int64_t keep = 100;       // boxes of an image
};
// What a network's outputs {1, ..} for a patch say: boxes in its voxels.
using TileDecoder = std::function<std::vector<ObjectBox>(const std::vector<Tensor>& outputs, const Int3& patch)>;

// The boxes of an image f32 {D, H, W, C} in its voxels, best first: of one patch those that non-maximum suppression leaves; of several, or
// of mirror images, clusters of these, in which a box counts less in the outer half of its patch, 1/2 at the border (nnDetection). They
// are clipped to the image; those whose centre is outside are left out. Along an axis of one voxel they are that voxel.
std::vector<ObjectBox> predict_boxes(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&,
                                     const TileDecoder&, const TileBoxOptions& = {});

}  // namespace voxgrad
