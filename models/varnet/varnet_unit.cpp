#include "models/varnet/varnet.h"

#include <cmath>

#include "core/autograd.h"
#include "core/module.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/fft/fft.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "layers/mri/coils.h"
#include "layers/mri/poisson_disc.h"
#include "layers/mri/simulation.h"
#include "models/learned_primal_dual/learned_primal_dual.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

double squares(const Tensor& x) { return sum(square(x)).item(); }

}  // namespace

TEST_CASE("a variational network keeps what was measured, is blind to units, and takes any coils and extents") {
  for (const std::string consistency : {"conjugate_gradients", "gradient"}) {
    Rng rng(3);
    const VarNet net({.cascades = 2, .features = 4, .stages = 3, .consistency = consistency}, rng);
    const int coils = consistency == "gradient" ? 1 : 5;
    const Tensor x = rand({2, 1, 22, 26, 1}, Rng(1));
    const Tensor kspace = simulated_kspace(x, {.coils = coils, .noise = 0}, Rng(2));
    const Tensor mask = mask_tensor(sampling_mask(26, {.centre_fraction = 0.3, .acceleration = 2}, Rng(4)));
    const Inference quiet;
    const Tensor y = net(undersampled_input(kspace, mask)), larger = net(undersampled_input(kspace * 1000, mask));
    CHECK(y.shape() == x.shape());
    CHECK(squares(larger * 0.001 - y) < 1e-8 * squares(y));
    // All columns measured: what the U-Nets add at the start is small beside it.
    const Tensor all = net(undersampled_input(kspace, mask_tensor(std::vector<uint8_t>(26, 1))));
    CHECK(squares(all - x) < 0.01 * squares(x));
  }
}

TEST_CASE("a step of data consistency in k-space draws to what was measured, and leaves the rest as it is") {
  Rng rng(3);
  const VarNetCascade cascade({.features = 4, .stages = 2, .consistency = "gradient"}, rng);  // a strength of 1
  const Tensor full = simulated_kspace(rand({1, 1, 16, 16, 1}, Rng(1)), {.coils = 3, .noise = 0}, Rng(2));
  const Tensor mask = mask_tensor(sampling_mask(16, {.centre_fraction = 0.25, .acceleration = 4}, Rng(4)));
  const Tensor s = estimate_sensitivities(full, {.columns = 16}), now = full + randn(full.shape(), Rng(5)), measured = full * mask;
  const Inference quiet;
  const Tensor prior = now - fft(complex_mul(cascade.regularizer(combine_coils(now, s)), s));
  const Tensor change = cascade.of_kspace(now, {measured, mask, s}) - prior;
  CHECK(squares(change * (1.0 - mask)) < 1e-10 * squares(now));  // beyond the mask there is the prior alone
  CHECK(squares((change + now - full) * mask) < 1e-10 * squares(now));
  CHECK(squares(change * mask) > 0.01 * squares(now * mask));
}

TEST_CASE("a variational network takes masks of both axes, whose middle may be of another height than width") {
  std::vector<float> discs;
  for (int i = 0; i < 48 * 40; ++i)
    discs.push_back((std::hypot(i / 40 - 23.0, i % 40 - 20.0) < 17) + 0.5f * float(std::hypot(i / 40 - 28.0, i % 40 - 15.0) < 6));
  const Tensor x = Tensor::from(discs, {1, 1, 48, 40, 1});
  const Tensor kspace = simulated_kspace(x, {.coils = 6, .noise = 0.002}, Rng(2));
  std::vector<uint8_t> places = poisson_disc_mask(48, 40, {.centre_fraction = 0, .acceleration = 3}, Rng(5));
  for (size_t i = 0; i < places.size(); ++i) places[i] |= std::abs(int(i / 40) - 24) < 4 && std::abs(int(i % 40) - 20) < 7;
  const Tensor mask = Tensor::from(std::vector<float>(places.begin(), places.end()), {1, 1, 48, 40, 1});
  const double zeros = squares(zero_filled(kspace * mask) - x);
  for (const char* sensitivities : {"estimated", "espirit", "learned"}) {
    CAPTURE(sensitivities);
    Rng rng(3);
    const VarNet net({.cascades = 2, .features = 4, .stages = 2, .sensitivities = sensitivities}, rng);
    const Inference quiet;
    CHECK(squares(net(undersampled_input(kspace, mask)) - x) < 0.5 * zeros);
  }
}

TEST_CASE("a variational network takes sensitivities by ESPIRiT, which has none beyond the object") {
  std::vector<float> disc;
  for (int i = 0; i < 24 * 24; ++i) disc.push_back(std::hypot(i / 24 - 11.0, i % 24 - 12.0) < 8 ? 1.0f + 0.02f * float(i % 5) : 0.0f);
  const Tensor x = Tensor::from(disc, {1, 1, 24, 24, 1});
  const Tensor kspace = simulated_kspace(x, {.coils = 4, .noise = 0.005}, Rng(2)), mask = mask_tensor(std::vector<uint8_t>(24, 1));
  const auto corner = [&](const char* sensitivities) {
    Rng rng(3);
    const VarNet net({.cascades = 1, .features = 4, .stages = 2, .sensitivities = sensitivities}, rng);
    const Inference quiet;
    const Tensor y = net(undersampled_input(kspace, mask));
    CHECK(squares(y - x) < 0.05 * squares(x));
    return squares(slice(slice(y, 2, 0, 4), 3, 0, 6));
  };
  CHECK(corner("espirit") < 0.5 * corner("estimated"));
}

TEST_CASE("gradients of a variational network are finite where conjugate gradients are done early, and of slices without a signal") {
  std::vector<float> discs(32 * 32, 0.0f);  // a slice without a signal, and a disc
  for (int i = 0; i < 32 * 32; ++i) discs.push_back(std::hypot(i / 32 - 15, i % 32 - 15) < 8);
  const Tensor x = Tensor::from(discs, {2, 1, 32, 32, 1});
  // Two columns in the middle: ESPIRiT's blocks are single places, its sensitivities the same everywhere.
  const Tensor input =
      undersampled_input(simulated_kspace(x, {.coils = 4}, Rng(1)), mask_tensor(sampling_mask(32, {.centre_fraction = 0.08}, Rng(3))));
  for (const char* sensitivities : {"estimated", "espirit"}) {
    Rng rng(3);
    VarNet net({.cascades = 2, .features = 4, .stages = 2, .sensitivities = sensitivities}, rng);
    const Tensor y = net(input);
    CHECK(max(abs(y.rows(0, 1))).item() < 1e-6);
    backward(mean(abs(y - x)));
    for (const Parameter& p : parameters(net)) CHECK(std::isfinite(squares(p.tensor.grad())));
  }
}

TEST_CASE("a variational network learns: every parameter gets a gradient, and recomputing cascades changes no bit of it") {
  const Tensor x = rand({1, 1, 16, 16, 1}, Rng(1));
  const Tensor input =
      undersampled_input(simulated_kspace(x, {.coils = 3}, Rng(2)), mask_tensor(sampling_mask(16, {.centre_fraction = 0.25}, Rng(4))));
  std::vector<double> first;
  for (const std::string sensitivities : {"estimated", "learned"})
    for (const bool recompute : {false, true}) {
      Rng rng(3);
      const char* const consistency = sensitivities == "learned" && recompute ? "gradient" : "conjugate_gradients";
      VarNet net({.cascades = 2, .features = 4, .stages = 2, .consistency = consistency, .iterations = 4, .sensitivities = sensitivities,
                  .recompute = recompute}, rng);
      backward(mean(square(net(input) - x)));
      std::vector<double> gradients;
      for (const Parameter& p : parameters(net)) {
        REQUIRE(p.tensor.grad());
        gradients.push_back(squares(p.tensor.grad()));
      }
      if (sensitivities == "estimated" && !recompute) first = gradients;
      if (sensitivities == "estimated" && recompute) CHECK(gradients == first);
    }
}

TEST_CASE("the learned primal-dual network starts near filtered back-projection, and every parameter gets a gradient") {
  for (int64_t n : {1, 7, 64, 181, 512}) CHECK(square_of(square_geometry(n, 4).columns) == n);
  std::vector<double> disc;
  for (int i = 0; i < 24 * 24; ++i) disc.push_back(std::hypot(i / 24 - 10.0, i % 24 - 13.0) < 6);
  const Tensor x = Tensor::from(disc, {1, 1, 24, 24, 1});
  const Tensor y = Projector(square_geometry(24, 30))(x);
  Rng rng(5);
  LearnedPrimalDual net({.iterations = 2, .features = 8}, rng);
  const Tensor image = net(y);
  CHECK(image.shape() == x.shape());
  CHECK(squares(image - x) < 0.3 * squares(x));
  backward(mean(square(image - x)));
  for (const Parameter& p : parameters(net)) CHECK(p.tensor.grad());
}
