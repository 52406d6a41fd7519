#include "tasks/classification/temperature.h"

#include <cmath>

namespace voxgrad {

double fitted_temperature(const std::function<double(double t)>& nll) {
  constexpr double kEnd = 20, kGolden = 0.6180339887498949, kPrecision = 1e-6;
  const double first = -std::log(kEnd), last = std::log(kEnd);
  double low = first, high = last;
  const auto at = [&](double x) { return nll(std::exp(x)); };
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low), of_a = at(a), of_b = at(b);
  while (high - low > kPrecision) {
    if (of_a <= of_b) {
      high = b, b = a, of_b = of_a;
      a = high - kGolden * (high - low), of_a = at(a);
    } else {
      low = a, a = b, of_a = of_b;
      b = low + kGolden * (high - low), of_b = at(b);
    }
  }
  const double x = (low + high) / 2;
  const bool at_end = x - first < 2 * kPrecision || last - x < 2 * kPrecision;
  return at_end || !std::isfinite(at(x)) || at(x) > at(0) ? 1 : std::exp(x);
}

}  // namespace voxgrad
