#pragma once
#include <optional>
#include <vector>

#include "augment/augment.h"

namespace voxgrad {

// What is done to the intensities of one image, in the order of the members; absent: not done. A function of options and source alone, so
// that every device does the same.
struct IntensityPlan {
  struct Channel {
    std::optional<Double3> blur_sigma;
    std::optional<double> brightness, contrast;
    std::optional<Double3> low_resolution;
    std::optional<double> inverted_gamma, gamma;
  };
  std::optional<double> noise_sigma;
  Rng noise;
  std::vector<Channel> channels;
};
IntensityPlan draw_intensities(const AugmentOptions&, int64_t channels, const Rng&);

// Rotation, scaling and mirror of one patch.
PatchPose draw_pose(const AugmentOptions&, const Double3& centre, const Rng&);

}  // namespace voxgrad
