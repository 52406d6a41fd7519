#include "layers/inverse/solvers.h"

#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "layers/inverse/wavelets.h"
#include "layers/mri/coils.h"
#include "layers/mri/simulation.h"
#include "layers/tomography/filtered_backprojection.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// Two discs, one in the other.
Tensor discs(int64_t n) {
  std::vector<double> v;
  for (int64_t h = 0; h < n; ++h)
    for (int64_t w = 0; w < n; ++w) {
      const double y = double(h) - double(n) / 2, x = double(w) - double(n) / 2;
      v.push_back((x * x + y * y < 0.16 * double(n * n)) + 0.5 * ((x - 3) * (x - 3) + y * y < 0.01 * double(n * n)));
    }
  return Tensor::from(v, {1, 1, n, n, 1});
}

double relative_error(const Tensor& x, const Tensor& right) {
  const Tensor off = x - right;
  return std::sqrt(inner_product(off, off) / inner_product(right, right));
}

}  // namespace

TEST_CASE("conjugate gradients and SIRT find what was projected, total variation finds it in noise and from few views") {
  const Tensor x = discs(32);
  const Projector all(parallel_geometry(32, 32, 60)), few(parallel_geometry(32, 32, 12));
  CHECK(relative_error(cgls(projection_map(all), all(x), {.iterations = 60}), x) < 0.02);
  const double after_10 = relative_error(sirt(projection_map(all), all(x), {.iterations = 10}), x);
  const double after_100 = relative_error(sirt(projection_map(all), all(x), {.iterations = 100, .non_negative = true}), x);
  CHECK(after_100 < 0.12);
  CHECK(after_100 < after_10);
  const Tensor noisy = few(x) + randn(few.geometry().projections_of(x.shape()), Rng(3), {.deviation = 0.2});
  const double by_sirt = relative_error(sirt(projection_map(few), noisy), x);
  const Tensor tv = total_variation(projection_map(few), noisy, {.weight = 0.003, .iterations = 150, .non_negative = true});
  CHECK(relative_error(tv, x) < 0.7 * by_sirt);
  CHECK(min(tv).item() >= 0);
}

TEST_CASE("SENSE, total variation and wavelets come closer to the image than what was not measured taken for 0") {
  const Tensor x = discs(48);
  const Tensor full = simulated_kspace(x, {.coils = 6, .noise = 0}, Rng(5));
  const std::vector<uint8_t> mask = sampling_mask(48, {.centre_fraction = 0.2, .acceleration = 3}, Rng(2));
  const Tensor measured = full * mask_tensor(mask), s = estimate_sensitivities(full, {.columns = 48});
  const LinearMap a = coil_map(s, mask_tensor(mask));
  const auto error = [&](const Tensor& image) { return relative_error(root_sum_of_squares(image), x); };
  const double zeros = relative_error(zero_filled(measured), x);
  CHECK(relative_error(zero_filled(full), x) < 1e-4);
  CHECK(zeros > 0.1);
  CHECK(error(cgls(a, measured, {.iterations = 20})) < 0.5 * zeros);
  CHECK(error(total_variation(a, measured, {.weight = 0.002, .iterations = 100})) < 0.35 * zeros);
  CHECK(error(wavelet_sparse(a, measured, {.weight = 0.002, .iterations = 40, .levels = 3})) < 0.5 * zeros);
}

TEST_CASE("the maps of coils and of wavelets are adjoint to 1e-5, wavelets are orthogonal and undone by their inverse") {
  const Tensor s = simulated_sensitivities({1, 2, 20, 18, 1}, 4, Rng(1));
  const LinearMap a = coil_map(s, mask_tensor(sampling_mask(18, {.acceleration = 2}, Rng(1))));
  const Tensor x = randn({1, 2, 20, 18, 2}, Rng(2)), y = randn({1, 2, 20, 18, 8}, Rng(3));
  CHECK(std::abs(inner_product(a.forward(x), y) - inner_product(x, a.adjoint(y))) < 1e-5 * inner_product(x, x));
  CHECK(norm_of(a, x) < 1.0001);
  const WaveletBands w = wavelet_transform(x, 3);
  double energy = 0;
  for (const Tensor& band : w.bands) energy += inner_product(band, band);
  CHECK(close(energy, inner_product(x, x), 1e-4));
  CHECK(relative_error(wavelet_inverse(w), x) < 1e-6);
  // PyWavelets 1.8: dwt([0, 1, 4, 9, 16, 25, 36, 49], "db2", "periodization"), which begins one sample before.
  const std::vector<double> coarse =
      wavelet_transform(Tensor::from({49.0, 0, 1, 4, 9, 16, 25, 36}, {1, 1, 1, 8, 1}), 1, 1).bands[0].values();
  const double wanted[4] = {23.37168852, 3.77577058, 18.67578097, 53.1717093};
  for (int i = 0; i < 4; ++i) CHECK(close(coarse[size_t(i)], wanted[i], 1e-6));
}
