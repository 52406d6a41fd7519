#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/preprocess.h"
#include "infer/model_file.h"
#include "io/picture/picture.h"

namespace voxgrad {

// Where in an image a network finds the reason for a score. The score is the network's output `output` (a logit, a value) for an image;
// of a network with a value per voxel the sum of that output over the voxels in which it is the largest of all.
//
// grad_cam (Selvaraju et al. 2017): ReLU(sum_c w_c A_c) for the activations A of one layer, w_c the mean over the voxels of
// d score / d A_c; linear between the layer's voxels. In units of the score.
//
// integrated_gradients (Sundararajan et al. 2017): x_i times the mean of d score / d x_i along the line from the baseline 0 (behind
// normalisation) to the image, at the middle of each of `steps` parts, summed over the channels. The sum over all voxels is the score less
// that of the baseline, but for what the steps are too coarse for: Explanation::completeness. It is large with instance normalisation, to
// which an image is the same whatever its contrast, so that all changes at once close to the baseline.
//
// occlusion (Zeiler and Fergus 2014): a box is filled with one value (behind normalisation) and moved over the image; each voxel gets the
// mean, over the boxes that cover it, of what the score falls by.
enum class ExplainMethod { grad_cam, integrated_gradients, occlusion };

struct ExplainOptions {
  int output = 0;
  std::string layer = {};   // of grad_cam, as parameters are named; empty: the last one with an extent above 1
  int steps = 50;           // of integrated_gradients
  Int3 box = {0, 0, 0};     // of occlusion, in voxels; 0: a quarter of the patch
  Int3 stride = {0, 0, 0};  // 0: half of the box
  double fill = 0;
  Device device = {};
  std::function<void(int64_t done, int64_t total)> progress = {};  // in runs of the network
};

struct Explanation {
  Tensor map;  // f32 {D, H, W} over the network's input
  double score = 0;
  std::string layer = {};   // of grad_cam
  double baseline = 0;      // of integrated_gradients: the score of the baseline
  double completeness = 0;  // sum of the map - (score - baseline)
};

// x f32 {1, D, H, W, C}. The network is put to eval and frozen. An unknown layer is an Error that lists those there are.
Explanation explain(Network&, const Tensor& x, ExplainMethod, const ExplainOptions&);

// Of the patch in the middle of a preprocessed image f32 {D, H, W, C}, as predict_values sees it; the map has the extents of the image, 0
// beyond the patch.
Explanation explain_middle(Network&, const ModelDescription&, const Tensor& image, ExplainMethod, const ExplainOptions&);

// Slices of the image, {D, H, W, C} in canonical orientation, each beside itself under the map {D, H, W}: red where it is above 0, blue
// below, by its size over the largest one. The strongest slice is among them.
Picture explanation_picture(const Volume& image, const Tensor& map, const std::string& title, std::optional<Window> window = {});

}  // namespace voxgrad
