#pragma once
#include "augment/intensity.h"
#include "augment/spatial.h"
#include "core/config/range.h"

namespace voxgrad {

// Random augmentation of training patches. The defaults are nnU-Net's for 3D (nnUNetTrainer.get_training_transforms), in the order
// below; a probability of 0 switches a transform off. A factor "about 1" is drawn from [low, 1) or from [1, high), each half the time.
struct AugmentOptions {
  SpatialOptions spatial;
  ResampleOptions resample;

  double noise_probability = 0.1;
  Range noise_sigma = {0, 0.1};  // in units of the image, which is taken to have standard deviation 1; all channels alike

  double blur_probability = 0.2;
  double blur_channel_probability = 0.5;
  Range blur_sigma = {0.5, 1.0};  // voxels; drawn per channel and axis

  double brightness_probability = 0.15;
  Range brightness_factor = {0.75, 1.25};  // about 1, per channel

  double contrast_probability = 0.15;
  Range contrast_factor = {0.75, 1.25};  // about 1, per channel, range preserved

  double low_resolution_probability = 0.25;
  double low_resolution_channel_probability = 0.5;
  Range low_resolution_scale = {0.5, 1.0};  // per channel, the same on all axes but spatial.slice_axis

  double inverted_gamma_probability = 0.1;
  double gamma_probability = 0.3;
  Range gamma = {0.7, 1.5};  // about 1, per channel, mean and standard deviation retained

  MirrorOptions mirror;
};

// The defaults, with spatial_options_for(patch, spacing).
AugmentOptions augment_options_for(Int3 patch, const Double3& spacing = {1, 1, 1});
// Everything off.
AugmentOptions no_augmentation();

// Fails where a probability is outside [0, 1] or a range is empty or out of bounds, naming it.
void check_options(const AugmentOptions&);

// Noise to mirror, applied to a patch that has been cut already. `spatial` and `resample` are not used, but for spatial.slice_axis.
// The patch given is left as it is. The result is a function of the arguments alone.
Sample augment(Sample patch, const AugmentOptions&, Rng);

struct PatchPlace {
  Double3 centre;  // voxels of the volume; see random_centre and foreground_centre
  Int3 size;
};

// The whole chain from a volume to a training patch, in one resampling: rotation, scaling and mirror (which commutes with what
// follows, so it costs nothing here) in a random pose about the centre, then noise to gamma.
Sample augmented_patch(const Sample& volume, const PatchPlace&, const AugmentOptions&, Rng);

}  // namespace voxgrad
