#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/spatial/extract_patch.h"
#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/k_space.h"

namespace voxgrad {
namespace {

// The image as it is after a rotation in the slice, in degrees, and a shift in voxels.
Tensor moved_image(const Tensor& image, double degrees, const Double3& shift) {
  const Int3 size = volume_size(image);
  const double t = degrees * std::numbers::pi / 180;
  PatchPose pose;
  for (int a = 0; a < 3; ++a) pose.centre[size_t(a)] = (size[a] - 1) / 2.0 + shift[size_t(a)];
  pose.matrix = {{{1, 0, 0}, {0, std::cos(t), -std::sin(t)}, {0, std::sin(t), std::cos(t)}}};
  return extract_patch(sample_of(image), pose, size, {.border = Border::edge}).image();
}

// Columns of k-space are measured from the left to the right; at up to three moments the object moves and stays. The middle column is
// measured in the pose of the image.
Tensor with_motion(const Tensor& image, const Degradation& d, const DegradationDraw& draw) {
  const int64_t columns = image.dim(2), parts = 2 * image.dim(3);
  const auto acts = [&](int a) { return std::find(d.axes.begin(), d.axes.end(), a) != d.axes.end() && image.dim(a) > 1; };
  Rng rng = draw.rng;
  std::vector<int64_t> moments = {0};
  for (int64_t n = 1 + rng.below(3); n > 0; --n) moments.push_back(rng.below(columns));
  std::sort(moments.begin(), moments.end());
  moments.push_back(columns);
  const Tensor all = k_space_of(image);
  for (size_t i = 0; i + 1 < moments.size(); ++i) {
    const double degrees = acts(1) && acts(2) ? rng.uniform(-draw.s, draw.s) : 0;
    Double3 shift = {0, 0, 0};
    for (int a = 0; a < 3; ++a) shift[size_t(a)] = acts(a) ? rng.uniform(-draw.s, draw.s) : 0;
    const int64_t begin = moments[i], end = moments[i + 1];
    if (begin == end || (begin <= columns / 2 && columns / 2 < end)) continue;
    const Tensor other = k_space_of(moved_image(image, degrees, shift));
    const auto from = other.data<float>();
    const auto to = all.mutable_data<float>();
    for (size_t row = 0; row < to.size(); row += size_t(columns * parts))
      std::copy_n(from.begin() + int64_t(row) + begin * parts, (end - begin) * parts, to.begin() + int64_t(row) + begin * parts);
  }
  return magnitude_of(all);
}

}  // namespace

DegradationEntry motion_degradation() {
  return {.name = "motion",
          .summary =
              "the magnitude of slices whose columns of k-space are measured while the object moves up to three times, each time by "
              "up to s voxels along `axes` and, where these are those of the slice, s degrees within it (Shaw et al. 2019)",
          .most = 1000,
          .apply = with_motion};
}

}  // namespace voxgrad
