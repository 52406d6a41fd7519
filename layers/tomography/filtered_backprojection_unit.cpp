#include "layers/tomography/filtered_backprojection.h"

#include <cmath>
#include <numbers>

#include "kernels/concat/concat.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("filtered back-projection gives scikit-image's iradon with every filter") {
  // scikit-image 0.26: iradon(y, theta=15 arange(12), filter_name=.., circle=True), y[k, view] = exp(-(k - 15 - 3 cos(theta))^2 / 8) of 31
  // columns, at (row, column) (15, 18), (13, 15), (18, 11). Its Hamming and Hann windows end one sample later.
  const double wanted[5][3] = {{0.1925411, 0.0394942, -0.0003331},
                               {0.1887157, 0.0399840, -0.0003024},
                               {0.1811568, 0.0409445, -0.0002402},
                               {0.1725002, 0.0419329, -0.0001459},
                               {0.1707575, 0.0421449, -0.0001296}};
  const double pi = std::numbers::pi;
  ProjectionGeometry g{.volume = {1, 31, 31}, .angles = {}, .columns = 31};
  std::vector<double> y;
  for (int view = 0; view < 12; ++view) {
    g.angles.push_back(-pi * view / 12);
    for (int k = 0; k < 31; ++k) y.push_back(std::exp(-std::pow(k - 15 - 3 * std::cos(pi * view / 12), 2) / 8));
  }
  const Tensor projections = Tensor::from(y, {1, 1, 12, 31, 1});
  for (int window = 0; window < 5; ++window) {
    const auto x = filtered_backprojection(projections, g, RampWindow(window)).values();
    const double limit = window < 3 ? 1e-5 : 2e-3;
    CHECK(close(x[15 * 31 + 18], wanted[window][0], limit));
    CHECK(close(x[13 * 31 + 15], wanted[window][1], limit));
    CHECK(close(x[18 * 31 + 11], wanted[window][2], limit));
  }
}

TEST_CASE("a ball seen by parallel, fan and cone beams comes back with its density") {
  const int n = 40;
  std::vector<double> v;
  for (int d = 0; d < 16; ++d)
    for (int h = 0; h < n; ++h)
      for (int w = 0; w < n; ++w) v.push_back(std::hypot(std::hypot(d - 7.5, h - 22), w - 17) < 6 ? 2 : 0);
  const Tensor x = Tensor::from(v, {1, 16, n, n, 1});
  ProjectionGeometry parallel = parallel_geometry(n, n, 90, 16), fan = parallel, cone;
  fan.beam = Beam::fan;
  fan.source_distance = 100;
  fan.detector_distance = 50;
  fan.column_spacing = 1.5;
  fan.angles = equal_angles(120, 2 * std::numbers::pi);
  cone = fan;
  cone.beam = Beam::cone;
  cone.rows = 24;
  cone.row_spacing = 1.5;
  for (const ProjectionGeometry& g : {parallel, fan, cone}) {
    const auto y = filtered_backprojection(Projector(g)(x), g).values();
    double inside = 0, count = 0, outside = 0;
    for (int d = 0; d < 16; ++d)
      for (int h = 0; h < n; ++h)
        for (int w = 0; w < n; ++w) {
          const double away = std::hypot(std::hypot(d - 7.5, h - 22), w - 17), value = y[size_t((d * n + h) * n + w)];
          if (away < 4) inside += value, ++count;
          if (away > 9 && d >= 6 && d <= 9) outside = std::fmax(outside, std::abs(value));
        }
    CHECK(std::abs(inside / count - 2) < 0.04);
    CHECK(outside < 0.3);
  }
}

TEST_CASE("a short scan of a disc gives what a whole turn gives, by Parker's weights") {
  const int n = 48;
  std::vector<double> v;
  for (int i = 0; i < n * n; ++i) v.push_back(std::hypot(i / n - 20, i % n - 27) < 14 ? 1 : 0);
  const Tensor x = Tensor::from(v, {1, 1, n, n, 1});
  ProjectionGeometry g{.beam = Beam::fan, .volume = {1, n, n}, .columns = 120, .column_spacing = 1, .source_distance = 80,
                       .detector_distance = 40};
  const double fan = 2 * std::atan(59.5 / 120), turn = 2 * std::numbers::pi;
  const auto image = [&](double range, double start, int views) {
    g.angles = equal_angles(views, range, start);
    return filtered_backprojection(Projector(g)(x), g).values();
  };
  const auto whole = image(turn, 0, 360);
  const std::pair<double, double> scans[] = {{turn / 2 + fan, 0.4}, {turn / 2 + 1.3 * fan, 0.0}, {-turn / 2 - fan, 1.0}};
  for (const auto& [range, start] : scans) {
    const auto part = image(range, start, 240);
    CHECK(is_short_scan(g));
    double worst = 0, mean = 0, count = 0;
    for (int i = 0; i < n * n; ++i) {
      const double away = std::hypot(i / n - 20, i % n - 27);
      if (away > 12 && away < 16) continue;  // the edge, which both show coarsely
      worst = std::fmax(worst, std::abs(part[size_t(i)] - whole[size_t(i)]));
      mean += std::abs(part[size_t(i)] - whole[size_t(i)]);
      ++count;
    }
    CHECK(worst < 0.04);
    CHECK(mean / count < 0.005);
  }
  g.angles = equal_angles(360, turn);
  CHECK(!is_short_scan(g));
  // A cone sees the middle slice of a cylinder as the fan does.
  ProjectionGeometry cone = g;
  cone.beam = Beam::cone;
  cone.volume.d = 3;
  cone.rows = 5;
  cone.angles = equal_angles(240, turn / 2 + fan, 0.4);
  const auto slices = filtered_backprojection(Projector(cone)(concat(std::vector<Tensor>(3, x), 1)), cone).values();
  for (int i : {20 * n + 27, 25 * n + 20, 5 * n + 5}) CHECK(close(slices[size_t(n * n + i)], whole[size_t(i)], 0.04));
  g.angles = equal_angles(100, 0.4 * turn);
  CHECK_THROWS_WITH(is_short_scan(g), Catch::Matchers::Contains("half a turn"));
}
