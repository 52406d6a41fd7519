#include <cmath>
#include <limits>
#include <vector>

#include "kernels/pointwise/pointwise_kernels.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

template <class F>
std::vector<float> values_of(const F& formula, std::vector<float> x) {
  std::vector<float> y(x.size());
  pointwise_forward(Cpu{}, formula, int64_t(x.size()), View{x.data(), DType::f32}, View{y.data(), DType::f32});
  return y;
}

// The largest difference from `right`, computed in f64, in units in the last place, over numbers of [low, high] in steps that differ.
template <class F, class Right>
double worst_of(const F& formula, Right right, double low, double high) {
  std::vector<float> x;
  for (double v = low; v <= high; v += (high - low) / 30001) x.push_back(float(v));
  for (float tiny = 1e-3f; tiny > 1e-36f; tiny /= 7)
    for (const float v : {tiny, -tiny})
      if (v >= low && v <= high) x.push_back(v);
  const std::vector<float> y = values_of(formula, x);
  double most = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double r = right(double(x[i]));
    const float size = std::max(std::fabs(float(r)), std::numeric_limits<float>::min());
    const double e = std::fabs(double(y[i]) - r) / double(std::nextafter(size, INFINITY) - size);
    most = e <= most ? most : e;  // a NaN is larger
  }
  return most;
}

template <class F>
double worst(const F& formula, double (*right)(double), double low, double high) {
  return worst_of(formula, right, low, high);
}

template <class F>
std::vector<float> gradients_of(const F& formula, std::vector<float> x) {
  std::vector<float> gx(x.size()), ones(x.size(), 1.f);
  pointwise_backward(Cpu{}, formula, int64_t(x.size()), View{x.data(), DType::f32}, {}, View{ones.data(), DType::f32},
                     View{gx.data(), DType::f32});
  return gx;
}

}  // namespace

TEST_CASE("functions of f32 are within a few units in the last place of those of f64") {
  using namespace formula;
  CHECK(worst(Exp{}, std::exp, -87, 88.7) < 2);
  CHECK(worst(Expm1{}, std::expm1, -20, 88.7) < 4);
  CHECK(worst(Expm1{}, std::expm1, -1, 1) < 4);
  CHECK(worst(Log{}, std::log, 1e-6, 10) < 4);
  CHECK(worst(Log{}, std::log, 0.9, 1.1) < 4);
  CHECK(worst(Log{}, std::log, 1, 1e30) < 4);
  CHECK(worst(Log1p{}, std::log1p, -0.99, 3) < 5);
  CHECK(worst(Log1p{}, std::log1p, -1e-3, 1e-3) < 5);
  CHECK(worst(Tanh{}, std::tanh, -12, 12) < 4);
  CHECK(worst(Tanh{}, std::tanh, -0.01, 0.01) < 4);
  CHECK(worst(Erf{}, std::erf, -5, 5) < 3);
  CHECK(worst(Erf{}, std::erf, -1.1, 1.1) < 3);
  for (const double most : {1.0, 50.0, 1e4, 1e6, 1e9}) {  // in f64 from 2^20 on
    CHECK(worst(Sin{}, std::sin, -most, most) < 2.5);
    CHECK(worst(Cos{}, std::cos, -most, most) < 2.5);
  }
  for (const double exponent : {-2.0, -0.3, 1e-3, 0.7, 1.5, 3.0, 30.0}) {
    const auto raised = [=](double x) { return std::pow(x, double(float(exponent))); };
    CHECK(worst_of(Power(exponent), raised, 1e-6, 10) < 2);
    CHECK(worst_of(Power(exponent), raised, 0.99, 1.01) < 2);
  }
  const auto sine_slope = gradients_of(Sin{}, {0.5f, 3e6f, -2e9f});
  CHECK(sine_slope == std::vector<float>{float(std::cos(0.5)), float(std::cos(3e6)), float(std::cos(-2e9))});
}

TEST_CASE("powers of f32 are those of the standard for zeros, infinities, NaNs and negative bases") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {0.f, -0.f, 1.f, -1.f, 2.f, -2.f, 0.5f, -0.5f, 3.f, inf, -inf, nan, 1e-40f, -1e-40f, 3e38f, -3e38f};
  for (const float exponent : {0.f, -0.f, 1.f, -1.f, 2.f, -2.f, 3.f, -3.f, 0.5f, -0.5f, 2.5f, inf, -inf, nan, 16777215.f, -16777215.f,
                               16777216.f, 8388607.5f, 1e30f}) {
    const std::vector<float> y = values_of(formula::Power(exponent), x);
    for (size_t i = 0; i < x.size(); ++i) {
      const float right = std::pow(x[i], exponent);
      CAPTURE(x[i], exponent, y[i], right);
      CHECK(std::isnan(y[i]) == std::isnan(right));
      if (std::isnan(right)) continue;
      CHECK(std::signbit(y[i]) == std::signbit(right));
      CHECK((y[i] == right || std::fabs(y[i] - right) <= 1e-6f * std::fabs(right)));
    }
  }
}

TEST_CASE("functions of f32 have the signs, infinities and NaNs of the standard ones") {
  using namespace formula;
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(), least = 1e-45f;
  const std::vector<float> x = {0.f, -0.f, inf, -inf, nan, least, -least, 1e-39f, 88.5f, 88.8f, 200.f, -200.f, 1e38f, -1e38f, -1.f, -2.f};
  const auto same = [&](const char* name, const auto& formula, float (*right)(float)) {
    const std::vector<float> y = values_of(formula, x);
    for (size_t i = 0; i < x.size(); ++i) {
      CAPTURE(name, x[i], y[i], right(x[i]));
      CHECK(std::isnan(y[i]) == std::isnan(right(x[i])));
      if (std::isnan(y[i])) continue;
      CHECK(std::signbit(y[i]) == std::signbit(right(x[i])));
      CHECK((y[i] == right(x[i]) || std::fabs(y[i] - right(x[i])) < 1e-5f * std::fabs(right(x[i]))));
    }
  };
  same("exp", Exp{}, std::exp);
  same("expm1", Expm1{}, std::expm1);
  same("log", Log{}, std::log);
  same("log1p", Log1p{}, std::log1p);
  same("tanh", Tanh{}, std::tanh);
  same("erf", Erf{}, std::erf);
  same("sin", Sin{}, std::sin);
  same("cos", Cos{}, std::cos);
}
