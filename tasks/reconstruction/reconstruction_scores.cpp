#include "tasks/reconstruction/reconstruction_scores.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "layers/ssim.h"

namespace voxgrad {

ReconstructionScores reconstruction_scores(const Tensor& image, const Tensor& reference) {
  check(image && reference && image.shape() == reference.shape() && image.shape().rank >= 3, "reconstruction_scores: the image is ", image,
        ", the reference ", reference);
  const Unrecorded quiet;
  const std::vector<double> a = image.values(), b = reference.values();
  double error = 0, energy = 0, most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    energy += b[i] * b[i];
    most = std::fmax(most, b[i]);
  }
  const Shape s{1, image.dim(0), image.dim(1), image.dim(2), image.shape().rank == 4 ? image.dim(3) : 1};
  ReconstructionScores out{.psnr = 20 * std::log10(most / std::sqrt(error / double(a.size()))), .ssim = NAN, .nmse = error / energy};
  if (s[2] >= 7 && s[3] >= 7 && most > 0)
    out.ssim = ssim(image.to(DType::f64).reshape(s), reference.to(DType::f64).reshape(s), {.range = most}).item();
  return out;
}

}  // namespace voxgrad
