#include "layers/mri/coils.h"

#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/fft/fft.h"

namespace voxgrad {
namespace {

// Hann's window over the middle `width` of n places, 0 beyond.
std::vector<double> middle_window(int64_t n, int64_t width) {
  std::vector<double> w;
  for (int64_t i = 0; i < n; ++i) {
    const double off = double(i - n / 2) / (double(width) / 2 + 1);
    w.push_back(std::abs(off) < 1 ? 0.5 + 0.5 * std::cos(std::numbers::pi * off) : 0);
  }
  return w;
}

}  // namespace

LinearMap coil_map(const Tensor& sensitivities, const Tensor& mask) {
  const auto masked = [mask](const Tensor& k) { return mask ? k * mask : k; };
  return {.forward = [=](const Tensor& x) { return masked(fft(complex_mul(x, sensitivities))); },
          .adjoint = [=](const Tensor& k) { return combine_coils(masked(k), sensitivities); }};
}

Tensor zero_filled(const Tensor& kspace) { return root_sum_of_squares(ifft(kspace)); }

Tensor combine_coils(const Tensor& kspace, const Tensor& sensitivities) { return complex_dot(sensitivities, ifft(kspace)); }

Tensor estimate_sensitivities(const Tensor& kspace, const SensitivityOptions& o) {
  check(kspace && kspace.shape().rank == 5 && o.columns >= 1 && o.rows >= 0, "estimate_sensitivities: from ", o.columns, " columns and ",
        o.rows, " rows of ", kspace);
  const int64_t h = kspace.dim(2), w = kspace.dim(3);
  const std::vector<double> rows = middle_window(h, o.rows > 0 ? o.rows : o.columns), columns = middle_window(w, o.columns);
  std::vector<double> window;
  for (double r : rows)
    for (double c : columns) window.push_back(r * c);
  const Tensor low = ifft(kspace * Tensor::from(window, {1, 1, h, w, 1}, kspace.dtype(), kspace.device()));
  // Far below the largest signal the coils' noise would become sensitivities: the same small real number is added to all of them.
  const Tensor size = root_sum_of_squares(low);
  double most = 0;
  for (double v : size.values()) most = std::fmax(most, v);
  std::vector<double> floor(size_t(kspace.dim(4)), 0.0);
  for (size_t c = 0; c < floor.size(); c += 2) floor[c] = 1e-4 * most + 1e-15;
  const Tensor lifted = low + Tensor::from(floor, {kspace.dim(4)}, kspace.dtype(), kspace.device());
  return lifted / root_sum_of_squares(lifted);
}

}  // namespace voxgrad
