#include "train/config_keys.h"

namespace voxgrad {
void add_augment_keys(ConfigTable& t, AugmentOptions& a) {
  t.number("augment.rotation", a.spatial.rotation_probability, 0, 1, "probability of a random rotation");
  t.number("augment.rotation_degrees", a.spatial.rotation_degrees[0], 0, 180,
           "largest angle about each axis (flat patches follow nnU-Net's rule)");
  t.number("augment.scaling", a.spatial.scaling_probability, 0, 1, "probability of a random scaling");
  t.number("augment.scale_low", a.spatial.scale_low, 0.1, 1, "smallest factor of the scaling");
  t.number("augment.scale_high", a.spatial.scale_high, 1, 10, "largest factor of the scaling");
  t.number("augment.noise", a.noise_probability, 0, 1, "probability of Gaussian noise");
  t.range("augment.noise_sigma", a.noise_sigma, 0, 100, "its standard deviation, in those of the image");
  t.number("augment.blur", a.blur_probability, 0, 1, "probability of a Gaussian blur");
  t.range("augment.blur_sigma", a.blur_sigma, 0, 10, "its width in voxels");
  t.number("augment.brightness", a.brightness_probability, 0, 1, "probability of a change of brightness");
  t.range("augment.brightness_factor", a.brightness_factor, 0.01, 100, "its factor");
  t.number("augment.contrast", a.contrast_probability, 0, 1, "probability of a change of contrast");
  t.range("augment.contrast_factor", a.contrast_factor, 0.01, 100, "its factor");
  t.number("augment.low_resolution", a.low_resolution_probability, 0, 1, "probability of a simulated low resolution");
  t.range("augment.low_resolution_scale", a.low_resolution_scale, 0.05, 1, "its fraction of the voxels per axis");
  t.number("augment.gamma", a.gamma_probability, 0, 1, "probability of a gamma curve");
  t.number("augment.inverted_gamma", a.inverted_gamma_probability, 0, 1, "probability of a gamma curve on the inverted image");
  t.range("augment.gamma_range", a.gamma, 0.05, 20, "exponents of both");
  t.number("augment.mirror", a.mirror.probability, 0, 1, "probability of mirroring, for each of the three axes");
}

}  // namespace voxgrad
