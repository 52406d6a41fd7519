#include "layers/mri/sampling.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

using SamplingMask = std::vector<uint8_t>;

SamplingMask random_columns(int64_t n, int64_t low, double r, Rng& rng) {
  SamplingMask mask(static_cast<size_t>(n), 0);
  const double p = low < n ? (double(n) / r - double(low)) / double(n - low) : 0;
  for (uint8_t& m : mask) m = rng.uniform() < p;
  return mask;
}

SamplingMask every_column(int64_t n, int64_t r, Rng& rng) {
  SamplingMask mask(static_cast<size_t>(n), 0);
  for (int64_t i = rng.below(r); i < n; i += r) mask[size_t(i)] = 1;
  return mask;
}

SamplingMask fraction_of_columns(int64_t n, int64_t low, double r, Rng& rng) {
  SamplingMask mask(static_cast<size_t>(n), 0);
  const double step = r * double(low - n) / (double(low) * r - double(n));  // of all columns but the middle ones
  if (!(step >= 1) || double(low) * r >= double(n)) return mask;
  for (double at = double(rng.below(std::max<int64_t>(1, std::llround(step)))); at < double(n - 1); at += step)
    mask[size_t(std::min<int64_t>(n - 1, int64_t(std::nearbyint(at))))] = 1;
  return mask;
}

// Both halves from opposite offsets; the mask is made with frequency 0 first and shifted to the middle.
SamplingMask magic_columns(int64_t n, int64_t low, double r, Rng& rng) {
  SamplingMask mask(static_cast<size_t>(n), 0);
  const int64_t wanted = std::llround(double(n) / r) - low;
  if (wanted <= 0) return mask;
  const int64_t step = std::max<int64_t>(1, std::llround(double(n) / double(wanted)));
  const int64_t offset = rng.below(step), positive = offset % 2 == 0 ? offset + 1 : offset + 2;
  const int64_t negative = offset % 2 == 0 ? offset + 2 : offset - 1, half = (n + 1) / 2;
  const auto put = [&](int64_t from_zero) { mask[size_t((from_zero + n / 2) % n)] = 1; };
  for (int64_t i = positive; i < half; i += step) put(i);
  for (int64_t i = negative; i < n - half; i += step) put(n - 1 - i);
  return mask;
}

}  // namespace

std::vector<uint8_t> sampling_mask(int64_t n, const SamplingOptions& o, Rng rng) {
  check(n >= 1 && o.acceleration >= 1 && o.centre_fraction >= 0 && o.centre_fraction <= 1, "sampling_mask: ", n,
        " columns, accelerated by ", o.acceleration, " with ", o.centre_fraction, " of them in the middle");
  int64_t low = int64_t(std::nearbyint(double(n) * o.centre_fraction));
  if (o.kind == Sampling::magic) low = std::max<int64_t>(1, std::min<int64_t>(low, std::llround(double(n) / o.acceleration)));
  SamplingMask mask = o.kind == Sampling::random       ? random_columns(n, low, o.acceleration, rng)
                      : o.kind == Sampling::equispaced ? every_column(n, std::llround(o.acceleration), rng)
                      : o.kind == Sampling::magic      ? magic_columns(n, low, o.acceleration, rng)
                                                       : fraction_of_columns(n, low, o.acceleration, rng);
  const int64_t pad = (n - low + 1) / 2;
  std::fill_n(mask.begin() + pad, low, 1);
  return mask;
}

Tensor mask_tensor(const std::vector<uint8_t>& mask) {
  return Tensor::from(std::vector<float>(mask.begin(), mask.end()), {1, 1, 1, int64_t(mask.size()), 1});
}

std::vector<uint8_t> mask_of(const Tensor& t) {
  std::vector<uint8_t> mask;
  for (double v : t.values()) mask.push_back(v != 0);
  return mask;
}

int64_t centre_columns(const std::vector<uint8_t>& mask) {
  const int64_t middle = int64_t(mask.size()) / 2;
  int64_t left = 0, right = 0;
  while (left < middle && mask[size_t(middle - 1 - left)]) ++left;
  while (middle + right < int64_t(mask.size()) && mask[size_t(middle + right)]) ++right;
  return std::max<int64_t>(1, 2 * std::min(left, right));
}

CentreOfKspace centre_of(const Tensor& mask, int64_t most) {
  check(mask && mask.shape().rank == 5 && mask.count() == mask.dim(2) * mask.dim(3), "centre_of: a mask {1, 1, H, W, 1} is wanted, ",
        "not ", mask);
  const int64_t h = mask.dim(2), w = mask.dim(3);
  const std::vector<uint8_t> all = mask_of(mask);
  std::vector<uint8_t> row(all.begin() + h / 2 * w, all.begin() + (h / 2 + 1) * w), column;
  for (int64_t i = 0; i < h; ++i) column.push_back(all[size_t(i * w + w / 2)]);
  CentreOfKspace c{std::min(most, centre_columns(column)), std::min(most, centre_columns(row))};
  const auto whole = [&] {
    for (int64_t i = 0; i < c.rows * c.columns; ++i)
      if (!all[size_t((h / 2 - c.rows / 2 + i / c.columns) * w + w / 2 - c.columns / 2 + i % c.columns)]) return false;
    return true;
  };
  while (std::max(c.rows, c.columns) > 1 && !whole()) c = {std::max<int64_t>(1, c.rows - 2), std::max<int64_t>(1, c.columns - 2)};
  return c;
}

}  // namespace voxgrad
