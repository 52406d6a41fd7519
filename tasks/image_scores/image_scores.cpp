#include "tasks/image_scores/image_scores.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "layers/ssim.h"

namespace voxgrad {
namespace {

constexpr int kLogSize = 15, kSsimWindow = 7, kMultiScaleWindow = 11;
constexpr double kLogSigma = 1.5;
constexpr int64_t kVoxelsAtOnce = 1 << 21;  // that are compared as f64

// f {n, H, W, C} of planes [begin, end + more) of either, with the planes [begin, end), so that what is computed of a volume exists for a
// part of it alone.
template <class F>
void in_slabs_of(const Tensor& a, const Tensor& b, int64_t more, F&& f) {
  const Shape s{1, a.dim(0), a.dim(1), a.dim(2), a.shape().rank == 4 ? a.dim(3) : 1};
  const int64_t step = std::max<int64_t>(1, kVoxelsAtOnce / (s[2] * s[3] * s[4])), last = s[1] - more;
  for (int64_t begin = 0; begin < last; begin += step) {
    const int64_t end = std::min(last, begin + step);
    const auto slab = [&](const Tensor& x) { return x.rows(begin, end + more).to(DType::f64).reshape(s.with(1, end + more - begin)); };
    f(slab(a), slab(b), end - begin);
  }
}

// The mean over planes, or over windows that begin in a plane.
template <class F>
double mean_over_slabs(const Tensor& a, const Tensor& b, int64_t more, F&& f) {
  double sum = 0;
  in_slabs_of(a, b, more, [&](const Tensor& x, const Tensor& y, int64_t planes) { sum += double(planes) * f(x, y).item(); });
  return sum / double(a.dim(0) - more);
}

// {1, 15, 15}, its sum being 0.
Tensor laplacian_of_gaussian() {
  std::vector<double> gaussian, out;
  double sum = 0, total = 0;
  const double variance = kLogSigma * kLogSigma;
  const auto square_at = [](int i) { return double((i / kLogSize - kLogSize / 2) * (i / kLogSize - kLogSize / 2) +
                                                   (i % kLogSize - kLogSize / 2) * (i % kLogSize - kLogSize / 2)); };
  for (int i = 0; i < kLogSize * kLogSize; ++i) {
    gaussian.push_back(std::exp(-square_at(i) / (2 * variance)));
    sum += gaussian.back();
  }
  for (int i = 0; i < kLogSize * kLogSize; ++i) {
    out.push_back(gaussian[size_t(i)] / sum * (square_at(i) - 2 * variance) / (variance * variance));
    total += out.back();
  }
  for (double& v : out) v -= total / double(out.size());
  return Tensor::from(out, {1, 1, kLogSize, kLogSize, 1}, DType::f64);
}

double high_frequency_error(const Tensor& a, const Tensor& b) {
  const Tensor kernel = laplacian_of_gaussian();
  double error = 0, energy = 0;
  const auto energy_of = [&](const Tensor& x) {  // each channel as a sample
    const Tensor apart = permute(x, {4, 1, 2, 3, 0});
    return sum(square(conv3d(apart, kernel, {}, {.padding = {0, kLogSize / 2, kLogSize / 2}}))).item();
  };
  in_slabs_of(a, b, 0, [&](const Tensor& x, const Tensor& y, int64_t) {
    error += energy_of(x - y);
    energy += energy_of(y);
  });
  return std::sqrt(error / energy);
}

struct Differences {
  double error = 0, energy = 0;  // sums of squares: of the difference, of the reference
  double low = INFINITY, high = -INFINITY;
  double count = 0;

  double range(ScoreRange r) const { return r == ScoreRange::largest ? std::fmax(high, 0) : high - low; }
  double psnr(ScoreRange r) const { return 20 * std::log10(range(r) / std::sqrt(error / count)); }
};

Differences differences(const Tensor& image, const Tensor& reference) {
  check(image && reference && image.shape() == reference.shape(), "image_scores: the image is ", image, ", the reference ", reference);
  const std::vector<double> a = image.values(), b = reference.values();
  Differences out{.count = double(a.size())};
  for (size_t i = 0; i < a.size(); ++i) {
    out.error += (a[i] - b[i]) * (a[i] - b[i]);
    out.energy += b[i] * b[i];
    out.low = std::min(out.low, b[i]), out.high = std::max(out.high, b[i]);
  }
  return out;
}

}  // namespace

double psnr(const Tensor& image, const Tensor& reference, ScoreRange range) { return differences(image, reference).psnr(range); }

ImageScores image_scores(const Tensor& image, const Tensor& reference, const ImageScoreOptions& o) {
  const Differences d = differences(image, reference);
  check(image.shape().rank >= 3, "image_scores: images {D, H, W} or {D, H, W, C} are wanted, not ", image);
  const Unrecorded quiet;
  const double range = d.range(o.range);
  ImageScores out{.psnr = d.psnr(o.range), .ssim = NAN, .ssim_3d = NAN, .ms_ssim = NAN, .nmse = d.error / d.energy,
                  .nrmse = std::sqrt(d.error / d.energy), .hfen = NAN};
  const int64_t side = std::min(image.dim(1), image.dim(2));
  if (range > 0 && side >= kSsimWindow)
    out.ssim = mean_over_slabs(image, reference, 0, [&](auto& x, auto& y) { return ssim(x, y, {.range = range}); });
  if (!o.all) return out;
  out.hfen = high_frequency_error(image, reference);
  if (range > 0 && side >= kMultiScaleWindow)
    out.ms_ssim = mean_over_slabs(image, reference, 0, [&](auto& x, auto& y) { return multi_scale_ssim(x, y, {.range = range}); });
  if (range > 0 && std::min(side, image.dim(0)) >= kSsimWindow)
    out.ssim_3d = mean_over_slabs(image, reference, kSsimWindow - 1,
                                  [&](auto& x, auto& y) { return ssim(x, y, {.range = range, .volume = true}); });
  return out;
}

const std::vector<ImageScoreKey>& image_score_keys() {
  static const std::vector<ImageScoreKey> keys = {
      {"psnr", &ImageScores::psnr, true, 2},        {"ssim", &ImageScores::ssim, true, 4}, {"ssim_3d", &ImageScores::ssim_3d, true, 4},
      {"ms_ssim", &ImageScores::ms_ssim, true, 4},  {"nmse", &ImageScores::nmse, false, 5}, {"nrmse", &ImageScores::nrmse, false, 4},
      {"hfen", &ImageScores::hfen, false, 4}};
  return keys;
}

}  // namespace voxgrad
