#pragma once
#include "core/dtype.h"

namespace voxgrad {

// One term of the mean soft Dice (soft_dice.h), from the sums over voxels of p t, p and t, and its derivatives by the first two.
struct DiceTerm {
  double value, by_intersection, by_prediction;
  VOXGRAD_HD DiceTerm(double intersection, double prediction, double truth, double smooth) {
    const double above = 2 * intersection + smooth, below = prediction + truth + smooth;
    const bool clamped = !(below > 1e-8);
    const double divisor = clamped ? 1e-8 : below;
    value = above / divisor;
    by_intersection = 2 / divisor;
    by_prediction = clamped ? 0 : -above / (below * below);
  }
};

}  // namespace voxgrad
