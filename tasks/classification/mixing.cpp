#include "tasks/classification/mixing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/lists/shuffle.h"
#include "kernels/binary/binary.h"
#include "kernels/index_select/index_select.h"
#include "kernels/where/where.h"

namespace voxgrad {
namespace {

// The logarithm of a number of Gamma(a, 1), which itself may be too small for a double. Marsaglia and Tsang 2000; for a < 1 by
// Gamma(a + 1, 1) u^(1/a).
double log_of_gamma(double a, Rng& rng) {
  if (a < 1) {
    const double u = 1 - rng.uniform();
    return log_of_gamma(a + 1, rng) + std::log(u) / a;
  }
  const double d = a - 1. / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - rng.uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return std::log(d * v);
  }
}

std::vector<double> random_order(int64_t n, Rng rng) {
  std::vector<double> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0.0);
  shuffle(order, rng);
  return order;
}

// u8 {1, D, H, W, 1}: 1 within the box that the partner fills.
Tensor random_box(const Shape& image, double share, Rng& rng) {
  const Shape s = {1, image[1], image[2], image[3], 1};
  int axes = 0;
  for (int a = 1; a <= 3; ++a) axes += image[a] > 1;
  int64_t low[3], high[3];
  for (int a = 0; a < 3; ++a) {
    const int64_t n = image[a + 1], half = n > 1 ? std::lround(double(n) * std::pow(1 - share, 1. / axes) / 2) : 1, middle = rng.below(n);
    low[a] = std::max<int64_t>(0, middle - half), high[a] = std::min(n, middle + half);
  }
  const Tensor box = Tensor::zeros(s, DType::u8);
  const auto inside = box.mutable_data<uint8_t>();
  for (int64_t d = low[0]; d < high[0]; ++d)
    for (int64_t h = low[1]; h < high[1]; ++h)
      for (int64_t w = low[2]; w < high[2]; ++w) inside[size_t((d * s[2] + h) * s[3] + w)] = 1;
  return box;
}

double mean_of(const Tensor& box) {
  double sum = 0;
  for (uint8_t v : box.data<uint8_t>()) sum += v;
  return sum / double(box.count());
}

}  // namespace

double draw_beta(double a, Rng& rng) {
  const double x = log_of_gamma(a, rng), y = log_of_gamma(a, rng);
  return 1 / (1 + std::exp(y - x));
}

Batch mixed(const Batch& batch, const MixingOptions& o, const Rng& source) {
  if (o.mixup == 0 && o.cutmix == 0) return batch;
  Rng rng = source;
  const bool cuts = o.cutmix > 0 && (o.mixup == 0 || rng.coin(0.5));
  double share = draw_beta(cuts ? o.cutmix : o.mixup, rng);
  const int64_t n = batch.image.dim(0);
  const Tensor partners = Tensor::from(random_order(n, rng.split()), {n}, DType::i64, batch.image.device());
  const Tensor other = index_select(batch.image, 0, partners);
  Batch out = batch;
  if (cuts) {
    const Tensor box = random_box(batch.image.shape(), share, rng);
    share = 1 - mean_of(box);
    out.image = where(box.to(batch.image.device()), other, batch.image);
  } else {
    out.image = add(affine(batch.image, share, 0), affine(other, 1 - share, 0));
  }
  for (const Field& f : batch.targets)
    if (f.kind == DataKind::values)
      out.targets.push_back({f.name + "_mixed", f.kind, index_select(f.data, 0, partners.to(f.data.device()))});
  out.targets.push_back({"share", DataKind::values, Tensor::from({share}, {1}).to(batch.image.device())});
  return out;
}

}  // namespace voxgrad
