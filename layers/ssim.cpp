#include "layers/ssim.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

constexpr double kScaleWeights[] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
constexpr double kLeastSimilarity = 1e-12;

void check_images(const char* who, const Tensor& x, const Tensor& y, int window, double range, bool volume) {
  check(x && y && x.info() == y.info() && x.shape().rank == 5, who,
        ": two images of one shape {N, D, H, W, C}, dtype and device are wanted, ", "not ", x, " and ", y);
  const int64_t least = std::min({volume ? x.dim(1) : x.dim(2), x.dim(2), x.dim(3)});
  check(window >= 3 && window % 2 == 1 && least >= window && range > 0, who, ": a window of ", window, " and a range of ", range, " for ",
        x);
}

// Of every window.
struct Similarity {
  Tensor whole, contrast;  // the formula, and its factor without the means
};
// local: the means of windows; spread: what they are multiplied by for covariances.
template <class Local>
Similarity similarity(const Tensor& x, const Tensor& y, double range, double spread, Local&& local) {
  const double c1 = 1e-4 * range * range, c2 = 9e-4 * range * range;
  const Tensor mx = local(x), my = local(y), mxy = mx * my, squares = square(mx) + square(my);
  const Tensor covariance = (local(x * y) - mxy) * spread, variances = (local(square(x) + square(y)) - squares) * spread;
  const Tensor contrast = (covariance * 2 + c2) / (variances + c2);
  return {contrast * ((mxy * 2 + c1) / (squares + c1)), contrast};
}

std::vector<double> gaussian_weights(int window, double sigma) {
  std::vector<double> out;
  double sum = 0;
  for (int i = 0; i < window; ++i) {
    const double x = (i - window / 2) / sigma;
    out.push_back(std::exp(-0.5 * x * x));
    sum += out.back();
  }
  for (double& w : out) w /= sum;
  return out;
}

// Means of windows that lie inside, of each channel by itself.
Tensor gaussian_means(Tensor x, const std::vector<double>& weights, bool volume) {
  const int64_t channels = x.dim(4), n = int64_t(weights.size());
  std::vector<double> all;
  for (int64_t c = 0; c < channels; ++c) all.insert(all.end(), weights.begin(), weights.end());
  for (int a = volume ? 1 : 2; a <= 3; ++a) {
    Shape kernel{channels, 1, 1, 1, 1};
    kernel[a] = n;
    x = conv3d(x, Tensor::from(all, kernel, x.dtype(), x.device()), {}, {.groups = int(channels)});
  }
  return x;
}

}  // namespace

Tensor ssim(const Tensor& x, const Tensor& y, const SsimOptions& o) {
  check_images("ssim", x, y, o.window, o.range, o.volume);
  const int depth = o.volume ? o.window : 1;
  const double n = double(o.window) * o.window * depth;
  return mean(similarity(x, y, o.range, n / (n - 1), [&](const Tensor& of) {
                return avg_pool3d(of, {.kernel = {depth, o.window, o.window}, .stride = {1, 1, 1}});
              }).whole);
}

Tensor multi_scale_ssim(const Tensor& x, const Tensor& y, const MultiScaleSsimOptions& o) {
  check_images("multi_scale_ssim", x, y, o.window, o.range, o.volume);
  const std::vector<int> space = o.volume ? std::vector<int>{1, 2, 3} : std::vector<int>{2, 3};
  int64_t extent = x.dim(2), scales = 0;
  for (int a : space) extent = std::min(extent, x.dim(a));
  double sum = 0;
  for (; scales < 5 && extent >= o.window; extent /= 2) sum += kScaleWeights[scales++];
  const std::vector<double> weights = gaussian_weights(o.window, o.sigma);
  Tensor a = x, b = y, product;
  for (int64_t j = 0; j < scales; ++j) {
    if (j > 0) {
      const AvgPool3dOptions half{.kernel = {o.volume ? 2 : 1, 2, 2}};
      a = avg_pool3d(a, half), b = avg_pool3d(b, half);
    }
    const Similarity s = similarity(a, b, o.range, 1, [&](const Tensor& of) { return gaussian_means(of, weights, o.volume); });
    const Tensor of_scale = clamp(mean(j + 1 < scales ? s.contrast : s.whole, space, {.keep = true}), kLeastSimilarity, 2);
    const Tensor factor = power(of_scale, kScaleWeights[j] / sum);
    product = product ? product * factor : factor;
  }
  return mean(product);
}

}  // namespace voxgrad
