#include "layers/mri/sampling.h"

#include <algorithm>
#include <cmath>

#include "layers/mri/coils.h"
#include "layers/mri/poisson_disc.h"
#include "layers/mri/simulation.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

int64_t measured_of(const std::vector<uint8_t>& mask) { return std::count(mask.begin(), mask.end(), 1); }

}  // namespace

TEST_CASE("masks of k-space have as many columns as fastMRI's and the middle ones without a gap") {
  for (const int64_t n : {320, 321, 368})
    for (const Sampling kind : {Sampling::random, Sampling::equispaced, Sampling::equispaced_fraction, Sampling::magic})
      for (uint64_t seed = 0; seed < 8; ++seed) {
        const std::vector<uint8_t> mask = sampling_mask(n, {.kind = kind, .centre_fraction = 0.08, .acceleration = 4}, Rng(seed));
        const int64_t low = int64_t(std::nearbyint(0.08 * double(n))), pad = (n - low + 1) / 2, count = measured_of(mask);
        CHECK(std::all_of(mask.begin() + pad, mask.begin() + pad + low, [](uint8_t m) { return m == 1; }));
        CHECK(centre_columns(mask) >= low - 2);
        if (kind == Sampling::equispaced) CHECK(std::abs(double(count) - (double(low) + double(n - low) / 4)) <= 2);
        else CHECK(std::abs(double(count) - double(n) / 4) <= (kind == Sampling::random ? 30 : 8));
      }
}

TEST_CASE("magic masks measure no column together with its mirror image, beside the middle") {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const std::vector<uint8_t> mask = sampling_mask(320, {.kind = Sampling::magic, .acceleration = 4}, Rng(seed));
    const auto at = [&](int64_t from_zero) { return mask[size_t(from_zero + 160)]; };
    int64_t pairs = 0;
    for (int64_t k = 14; k < 160; ++k) pairs += at(k) && at(-k);
    CHECK(pairs == 0);
  }
}

TEST_CASE("Poisson discs of k-space have as many places as wanted, all of the middle, and few far out") {
  for (const auto& [rows, columns, acceleration] : {std::tuple<int64_t, int64_t, double>{96, 96, 4}, {64, 121, 8}, {33, 20, 2}}) {
    const PoissonDiscOptions o{.centre_fraction = 0.1, .acceleration = acceleration};
    const std::vector<uint8_t> mask = poisson_disc_mask(rows, columns, o, Rng(1));
    CAPTURE(rows, columns);
    CHECK(mask == poisson_disc_mask(rows, columns, o, Rng(1)));
    CHECK(mask != poisson_disc_mask(rows, columns, o, Rng(2)));
    const double wanted = double(rows * columns) / acceleration;
    CHECK(std::abs(double(measured_of(mask)) - wanted) <= 0.05 * wanted);
    const Tensor whole = Tensor::from(std::vector<float>(mask.begin(), mask.end()), {1, 1, rows, columns, 1});
    const CentreOfKspace c = centre_of(whole, 24);
    CHECK(double(c.rows) >= 0.1 * double(rows) - 3);
    CHECK(double(c.columns) >= 0.1 * double(columns) - 3);
    // The part of the places that is measured, in an inner and an outer frame; no two neighbours far out.
    double taken[2] = {}, all[2] = {}, touching = 0;
    for (int64_t i = 0; i < rows * columns; ++i) {
      const double y = std::abs(2 * double(i / columns) / double(rows) - 1), x = std::abs(2 * double(i % columns) / double(columns) - 1);
      const double out = std::max(x, y);
      if (out < 0.2) continue;
      taken[out > 0.6] += mask[size_t(i)], ++all[out > 0.6];
      touching += out > 0.8 && i % columns > 0 && mask[size_t(i)] && mask[size_t(i - 1)];
    }
    CHECK(taken[0] / all[0] > 1.3 * taken[1] / all[1]);
    CHECK(touching == 0);
  }
  const std::vector<uint8_t> all = poisson_disc_mask(9, 7, {.acceleration = 1}, Rng(1));
  CHECK(measured_of(all) == 63);
  CHECK(measured_of(poisson_disc_mask(40, 40, {.centre_fraction = 0.1, .acceleration = 1e6}, Rng(1))) >= 16);
  CHECK_THROWS_WITH(poisson_disc_mask(9, 7, {.acceleration = 0.5}, Rng(1)), Catch::Matchers::Contains("accelerated by 0.5"));
}

TEST_CASE("estimated sensitivities are those of the simulation, where there is an image") {
  std::vector<float> v;
  for (int i = 0; i < 64 * 64; ++i) v.push_back(std::hypot(i / 64 - 31.5, i % 64 - 31.5) < 26 ? 1.0f + 0.2f * float(i % 3) : 0.0f);
  const Tensor x = Tensor::from(v, {1, 1, 64, 64, 1});
  const Tensor kspace = simulated_kspace(x, {.coils = 4, .phase = 0, .noise = 0}, Rng(9));
  const Tensor s = estimate_sensitivities(kspace, {.columns = 16});
  const Tensor combined = root_sum_of_squares(combine_coils(kspace, s)) - x;
  CHECK(std::sqrt(mean(square(combined)).item()) < 0.02);
  CHECK(std::abs(mean(root_sum_of_squares(s)).item() - 1) < 1e-5);
}
