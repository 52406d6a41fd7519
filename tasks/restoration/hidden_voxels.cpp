#include "tasks/restoration/hidden_voxels.h"

#include <algorithm>
#include <cmath>

#include "augment/sample.h"

namespace voxgrad {
namespace {

// The mean of the neighbours in `from` {D, H, W, C}.
void take_mean_of_neighbours(const float* from, const Int3& size, int64_t channels, const Int3& at, float* to) {
  std::vector<double> sum(size_t(channels), 0);
  double total = 0;
  for (int n = 0; n < 27; ++n) {
    const Int3 step = {n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1};
    int differs = 0;
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      differs += step[a] != 0;
      inside &= at[a] + step[a] >= 0 && at[a] + step[a] < size[a];
    }
    if (differs == 0 || !inside) continue;
    const double weight = std::ldexp(1.0, 1 - differs);
    const int64_t other = (int64_t(at[0] + step[0]) * size.h + at[1] + step[1]) * size.w + at[2] + step[2];
    for (int64_t c = 0; c < channels; ++c) sum[size_t(c)] += weight * from[other * channels + c];
    total += weight;
  }
  for (int64_t c = 0; c < channels && total > 0; ++c) to[c] = float(sum[size_t(c)] / total);
}

}  // namespace

Tensor hide_voxels(const Tensor& image, double masked, int neighbours, Rng rng) {
  const Int3 size = volume_size(image);
  const int64_t voxels = int64_t(size.d) * size.h * size.w, channels = image.dim(3);
  const Tensor before = image.clone(), hidden = Tensor::zeros({size.d, size.h, size.w, 1});
  const float* from = before.view().as<float>();
  float *to = image.view().as<float>(), *h = hidden.view().as<float>();
  const int64_t wanted = std::max<int64_t>(1, std::llround(masked * double(voxels)));
  for (int64_t k = 0; k < wanted; ++k) {
    const int64_t i = rng.below(voxels);
    const int at[3] = {int(i / size.w / size.h), int(i / size.w % size.h), int(i % size.w)};
    int64_t other = i;
    for (int tries = 0; other == i && tries < 100; ++tries) {
      int near[3];
      for (int a = 0; a < 3; ++a) {
        const int low = std::max(0, at[a] - neighbours), high = std::min(size[a] - 1, at[a] + neighbours);
        near[a] = low + int(rng.below(high - low + 1));
      }
      other = (int64_t(near[0]) * size.h + near[1]) * size.w + near[2];
    }
    for (int64_t c = 0; c < channels; ++c) to[i * channels + c] = from[other * channels + c];
    h[i] = 1;
  }
  return hidden;
}

Tensor hide_grid(const Tensor& image, int width, Rng rng) {
  const Int3 size = volume_size(image);
  const int64_t channels = image.dim(3);
  const Tensor before = image.clone(), hidden = Tensor::zeros({size.d, size.h, size.w, 1});
  const float* from = before.view().as<float>();
  float *to = image.view().as<float>(), *h = hidden.view().as<float>();
  Int3 first, step;
  for (int a = 0; a < 3; ++a) {
    step[a] = size[a] > 1 ? width : 1;
    first[a] = int(rng.below(std::min(size[a], step[a])));
  }
  for (int z = first.d; z < size.d; z += step.d)
    for (int y = first.h; y < size.h; y += step.h)
      for (int x = first.w; x < size.w; x += step.w) {
        const int64_t i = (int64_t(z) * size.h + y) * size.w + x;
        take_mean_of_neighbours(from, size, channels, {z, y, x}, to + i * channels);
        h[i] = 1;
      }
  return hidden;
}

}  // namespace voxgrad
