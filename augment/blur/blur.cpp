#include "augment/blur/blur.h"

#include <cmath>

#include "augment/blur/blur_formulas.h"
#include "augment/channel.h"
#include "augment/intensity/intensity_kernels.h"
#include "core/device/parallel.h"

namespace voxgrad {

std::vector<float> gaussian_taps(double sigma) {
  if (sigma == 0) return {1.f};
  const double wanted = 6 * sigma + 0.5;
  const int half = std::max(0, int(std::lround((wanted - 1) / 2)));
  std::vector<double> w(size_t(2 * half + 1));
  double sum = 0;
  for (int k = -half; k <= half; ++k) sum += w[size_t(k + half)] = std::exp(-0.5 * (k / sigma) * (k / sigma));
  std::vector<float> taps;
  for (double v : w) taps.push_back(float(v / sum));
  return taps;
}

void gaussian_blur(const Tensor& image, int channel, const Double3& sigma) {
  constexpr double kLargest = 1000;
  for (int a = 0; a < 3; ++a)
    check(sigma[a] >= 0 && sigma[a] <= kLargest, "gaussian_blur: sigma ", sigma[a], " on axis ", a, " is not in [0, ", kLargest, "]");
  Channel x("gaussian_blur", image, channel);
  const Int3 size = x.size();
  const int64_t depth = size.d, height = size.h, width = size.w, plane = height * width;
  const auto taps_d = gaussian_taps(sigma[0]), taps_h = gaussian_taps(sigma[1]), taps_w = gaussian_taps(sigma[2]);
  const Tensor blurred = Tensor::empty({depth, height, width});
  float *from = x.data(), *to = blurred.view().as<float>();
  const auto& kernels = intensity_kernels();

  // Within slices: W into a slice of scratch, then H.
  parallel_ranges(depth, 1, [&](int64_t begin, int64_t end) {
    const int64_t half_w = int64_t(taps_w.size()) / 2, half_h = int64_t(taps_h.size()) / 2;
    std::vector<float> padded(size_t(width + 2 * half_w)), slice(static_cast<size_t>(plane));
    std::vector<const float*> rows(std::max(taps_w.size(), taps_h.size()));
    for (int64_t d = begin; d < end; ++d) {
      for (int64_t h = 0; h < height; ++h) {
        const float* row = from + (d * height + h) * width;
        std::copy_n(row, width, padded.begin() + half_w);
        for (int64_t k = 1; k <= half_w; ++k) {
          padded[size_t(half_w - k)] = row[reflected_index(-k, width)];
          padded[size_t(half_w + width - 1 + k)] = row[reflected_index(width - 1 + k, width)];
        }
        for (size_t k = 0; k < taps_w.size(); ++k) rows[k] = padded.data() + k;
        kernels.weighted_rows(rows.data(), taps_w.data(), int(taps_w.size()), slice.data() + h * width, width);
      }
      for (int64_t h = 0; h < height; ++h) {
        for (size_t k = 0; k < taps_h.size(); ++k) rows[k] = slice.data() + reflected_index(h + int64_t(k) - half_h, height) * width;
        kernels.weighted_rows(rows.data(), taps_h.data(), int(taps_h.size()), to + (d * height + h) * width, width);
      }
    }
  });
  // Across slices, back into the image.
  parallel_ranges(depth, 1, [&](int64_t begin, int64_t end) {
    std::vector<const float*> rows(taps_d.size());
    for (int64_t d = begin; d < end; ++d) {
      for (size_t k = 0; k < rows.size(); ++k) rows[k] = to + reflected_index(d + int64_t(k) - int64_t(rows.size()) / 2, depth) * plane;
      kernels.weighted_rows(rows.data(), taps_d.data(), int(rows.size()), from + d * plane, plane);
    }
  });
}

}  // namespace voxgrad
