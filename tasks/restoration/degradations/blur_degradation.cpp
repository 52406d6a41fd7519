#include "augment/blur/blur.h"
#include "augment/sample.h"
#include "tasks/restoration/degradation.h"

namespace voxgrad {

DegradationEntry blur_degradation() {
  return {.name = "blur",
          .summary = "a Gaussian of s voxels along `axes`",
          .most = 100,
          .apply = [](const Tensor& x, const Degradation& d, const DegradationDraw& draw) {
            Double3 sigma = {0, 0, 0};
            for (const int a : d.axes) sigma[size_t(a)] = draw.s;
            const Tensor out = x.clone();
            for (int c = 0; c < x.dim(3); ++c) gaussian_blur(out, c, sigma);
            return out;
          }};
}

}  // namespace voxgrad
