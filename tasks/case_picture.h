#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/description.h"
#include "io/picture/picture.h"

namespace voxgrad {

// The grey values to show images of a model in: soft tissue, -160 to 240 HU (centre 40, width 400), where it is trained on CT; nothing,
// which is the range of each image, for other modalities.
std::optional<Window> window_for(const ModelDescription&);

// Slices of one case: the image, then the image under the prediction and under the reference (an absent one has no column).
// The volumes may have any orientation; all must have the grid of the image.
struct CasePicture {
  Volume image, prediction, reference;
  std::string title;
  std::vector<std::string> label_names;  // of the values 0, 1, ...
  std::optional<Window> window;          // without it: the quantiles 0.5 % and 99.5 % of the image
};
Picture case_picture(const CasePicture&);

}  // namespace voxgrad
