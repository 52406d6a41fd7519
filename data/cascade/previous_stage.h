#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/grid.h"
#include "io/volume.h"

namespace voxgrad {

// The second stage of a cascade (nnU-Net's 3d_cascade_fullres) sees behind the channels of an image the mask that a first stage gave of it:
// for each of a model's previous_labels a channel that is 1 where the mask has that value and 0 elsewhere.

// The field of a training sample, of kind labels.
inline constexpr const char* kPreviousStage = "previous";

// A mask that belongs to an image, on its grid. name: of the file, for messages.
struct PreviousMask {
  Volume mask;
  std::string name;
  OtherGrid other = OtherGrid::refuse;
};

// f32 {.., L} of a mask u8 {..}.
Tensor one_hot(const Tensor& mask, const std::vector<int>& labels);
// f32 {.., C + L} of an image f32 {.., C} and its mask u8 {..}.
Tensor with_previous_stage(const Tensor& image, const Tensor& mask, const std::vector<int>& labels);

}  // namespace voxgrad
