#pragma once
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// How the mask of a first stage is changed in training, so that the second one does not rely on it: nnU-Net's, with its values.
struct PreviousChanges {
  // Probability of dilating, eroding, opening or closing by a ball; each label then takes part with probability 1/2, with an operation and
  // a radius from 1 to `radius` of its own, in random order. What a label gains others lose.
  double operators = 0.4;
  int radius = 8;  // voxels
  // Probability of removals; each label then loses, with probability 1/2, one of its connected parts (26 neighbours) that hold less than
  // `largest` of the patch.
  double removal = 0.2;
  double largest = 0.15;
};

// Changes a mask f32 {1, D, H, W, L} of zeros and ones, a function of its arguments alone. What lies beyond the patch does not take part.
void change_previous(const Tensor& one_hot, const PreviousChanges&, const Rng&);

enum class BallOperator { dilate, erode, close, open };
// u8 {D, H, W}, by the voxels within `radius` of one.
Tensor apply_ball(const Tensor& mask, BallOperator, double radius);

}  // namespace voxgrad
