#include <cmath>
#include <limits>

#include "core/device/parallel.h"
#include "tasks/statistics/bootstrap.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("Wilcoxon's signed-rank test is SciPy's, exact and approximate, with ties and with differences of 0") {
  const auto p_of = [](const std::vector<double>& d) { return signed_rank_test(d).p; };
  // scipy.stats.wilcoxon 1.17, two-sided, method "auto".
  const std::vector<double> ten = {0.03, -0.01, 0.05, 0.06, 0.02, 0.08, -0.01, 0.04, 0.07, 0.03};
  CHECK(signed_rank_test(ten).statistic == 3);
  CHECK(p_of(ten) == Approx(0.009765625).epsilon(1e-12));
  CHECK(p_of({3, 1, 4, -1.5, 5, 9, -2, 6}) == Approx(0.078125).epsilon(1e-12));
  CHECK(p_of({1, 1, -1, 2, 2, 3, -3, 4, 0, 5}) == Approx(0.12109375).epsilon(1e-12));
  std::vector<double> sixty;
  for (int i = 0; i < 60; ++i) sixty.push_back(i * 37 % 101 - 40);
  CHECK(signed_rank_test(sixty).statistic == 583);
  CHECK(p_of(sixty) == Approx(0.02263320893600752).epsilon(1e-12));
  CHECK(p_of({1, -1}) == 1);
  CHECK(std::isnan(p_of({0, 0})));
}

TEST_CASE("bootstrapped intervals of a mean have their coverage, repeat by their seed and leave out what is not finite") {
  const std::vector<double> v = {0.1, 0.9, 0.4, 0.7, 0.8, 0.3, 0.6, 0.5, 0.2, 1.0};
  const Interval i = bootstrap_mean(v);
  CHECK(i.value == Approx(0.55));
  // The mean of ten draws has a standard deviation of sqrt(0.0825 / 10) = 0.0908: close to normal, 1.96 of them on either side.
  CHECK(i.low == Approx(0.55 - 0.178).margin(0.01));
  CHECK(i.high == Approx(0.55 + 0.178).margin(0.01));
  std::vector<double> more = v;
  more.push_back(std::nan(""));
  more.push_back(std::numeric_limits<double>::infinity());
  const int before = threads();
  set_threads(3);
  const Interval same = bootstrap_mean(more);
  set_threads(before);
  CHECK(same.low == i.low);
  CHECK(same.high == i.high);
  const std::vector<double> uneven = {std::sqrt(2.0), std::sqrt(3.0), std::sqrt(5.0), std::sqrt(7.0), std::sqrt(11.0), std::sqrt(13.0)};
  CHECK(bootstrap_mean(uneven, {.resamples = 50, .seed = 2}).low != bootstrap_mean(uneven, {.resamples = 50}).low);
  CHECK(bootstrap_mean(v, {.confidence = 0.5}).low > i.low);
  CHECK(bootstrap_mean({0.5}).high == 0.5);
  CHECK(std::isnan(bootstrap_mean({std::nan("")}).value));
  CHECK_THROWS(bootstrap_mean(v, {.confidence = 1}));
}

TEST_CASE("a paired comparison looks at the cases that both have") {
  const double nan = std::nan("");
  const PairedComparison c = compare_paired({0.8, 0.9, nan, 0.7}, {0.7, 0.85, 0.9, nan});
  CHECK(c.cases == 2);
  CHECK(c.difference.value == Approx(0.075));
  CHECK(c.difference.low == Approx(0.05));
  CHECK(c.difference.high == Approx(0.1));
  CHECK(c.p == 0.5);
  CHECK_THROWS(compare_paired({1, 2}, {1}));
}
