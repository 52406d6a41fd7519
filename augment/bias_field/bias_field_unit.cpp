#include "augment/bias_field/bias_field.h"

#include <algorithm>

#include "tests/sample_helpers.h"

using namespace voxgrad;

TEST_CASE("a bias field is the exponential of a polynomial of degree 3 about the least value") {
  // The powers of the place in the order of the coefficients.
  std::vector<std::array<int, 3>> powers;
  for (int i = 0; i <= 3; ++i)
    for (int j = 0; j <= 3; ++j)
      for (int k = 0; k <= 3; ++k)
        if (i + j + k >= 1 && i + j + k <= 3) powers.push_back({i, j, k});
  REQUIRE(powers.size() == size_t(kBiasPowers));
  const Sample s = random_sample({5, 6, 7}, 2, 4);
  const auto before = s.image().values();
  BiasCoefficients coefficients;
  Rng rng(1);
  for (float& c : coefficients) c = float(rng.uniform(-0.3, 0.3));
  multiply_bias_field(s.image(), 1, coefficients);
  double low = 1e9;
  for (size_t i = 1; i < before.size(); i += 2) low = std::min(low, before[i]);
  const auto after = s.image().values();
  double most = 0, moved = 0;
  for (int d = 0, at = 0; d < 5; ++d)
    for (int h = 0; h < 6; ++h)
      for (int w = 0; w < 7; ++w, ++at) {
        double p = 0;
        for (size_t c = 0; c < powers.size(); ++c)
          p += double(coefficients[c]) * std::pow(d / 2.0 - 1, powers[c][0]) * std::pow(h / 2.5 - 1, powers[c][1]) *
               std::pow(w / 3.0 - 1, powers[c][2]);
        const size_t v = size_t(2 * at + 1);
        most = std::max(most, std::abs(after[v] - (low + (before[v] - low) * std::exp(p))));
        moved = std::max(moved, std::abs(after[v] - before[v]));
        REQUIRE(after[v - 1] == before[v - 1]);
      }
  CHECK(most < 1e-5);
  CHECK(moved > 0.1);
}

TEST_CASE("a bias field is off until it is listed, then as often as its probability says") {
  const Sample s = random_sample({4, 5, 6}, 1, 2);
  const Augmentation usual;
  CHECK(std::find(usual.order.begin(), usual.order.end(), "bias_field") == usual.order.end());
  Augmentation a;
  a.order = {"bias_field"};
  a.set({{"bias_field", 0.25}});
  int changed = 0;
  for (uint64_t k = 0; k < 400; ++k) changed += !same(augment(s, a, Rng(k)).image(), s.image());
  CHECK(std::abs(changed - 100) < 5 * std::sqrt(400 * 0.25 * 0.75));
  const Sample again = augment(s, only({"bias_field"}), Rng(7));
  CHECK(same(again.image(), augment(s, only({"bias_field"}), Rng(7)).image()));
  CHECK(same(again.at("label"), s.at("label")));
}
