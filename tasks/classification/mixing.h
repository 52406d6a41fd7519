#pragma once
#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

// Images of a batch are mixed in pairs, and so is what they are learned as. 0: off. Where both are on, each batch gets one of them.
struct MixingOptions {
  double mixup = 0;   // alpha: Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018
  double cutmix = 0;  // alpha: Yun et al., "CutMix", ICCV 2019
};

// With a random partner n' for each n and one share l for the batch, l ~ Beta(alpha, alpha):
//   mixup:  image[n] = l image[n] + (1 - l) image[n']
//   cutmix: image[n] = image[n'] within a box about a random voxel that is (1 - l)^(1/a) of each of the a axes of more than one voxel, as
//           far as it is in the image; l becomes the part of the voxels outside of it.
// The batch gets the fields NAME_mixed, those NAME of the partners, for every target that is no array of voxels, and "share", f32 {1} on
// the CPU: l. A function of the arguments alone, on any device.
Batch mixed(const Batch&, const MixingOptions&, const Rng&);

// A number of Beta(a, a), a > 0.
double draw_beta(double a, Rng&);

}  // namespace voxgrad
