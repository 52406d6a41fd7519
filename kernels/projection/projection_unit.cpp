#include "kernels/projection/projection.h"

#include <cmath>
#include <numbers>

#include "kernels/random/random.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

double inner_product(const Tensor& a, const Tensor& b) {
  const auto x = a.values(), y = b.values();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

// An ellipse of density 1 with the half axes p, q along W and H turned by `turn` around (x, y) mm: its line integral along the ray at the
// angle t and the place u (Kak and Slaney 1988, section 3.1).
struct Ellipse {
  double x, y, p, q, turn;
  double along(double t, double u) const {
    const double angle = t - turn, at = u - x * std::cos(t) - y * std::sin(t);
    const double a2 = std::pow(p * std::cos(angle), 2) + std::pow(q * std::sin(angle), 2);
    return at * at < a2 ? 2 * p * q * std::sqrt(a2 - at * at) / a2 : 0;
  }
  double share(double w, double h) const {  // of a pixel of 1 mm that lies within, from 8 x 8 points
    double inside = 0;
    for (int i = 0; i < 64; ++i) {
      const double px = w + (i % 8 - 3.5) / 8 - x, py = h + (i / 8 - 3.5) / 8 - y;
      const double along = px * std::cos(turn) + py * std::sin(turn), across = py * std::cos(turn) - px * std::sin(turn);
      inside += std::pow(along / p, 2) + std::pow(across / q, 2) < 1;
    }
    return inside / 64;
  }
};

}  // namespace

TEST_CASE("projectors and their adjoints agree to 1e-5 in f32") {
  const std::vector<double> angles = equal_angles(37, 2 * std::numbers::pi);
  ProjectionGeometry parallel{.beam = Beam::parallel, .volume = {2, 40, 33}, .angles = angles, .columns = 50};
  ProjectionGeometry fan = parallel, cone = parallel;
  fan.beam = Beam::fan;
  fan.source_distance = 60;
  fan.detector_distance = 40;
  fan.column_spacing = 1.7;
  cone = fan;
  cone.beam = Beam::cone;
  cone.volume.d = 12;
  cone.rows = 14;
  cone.row_spacing = 1.9;
  for (const ProjectionGeometry& g : {parallel, fan, cone}) {
    const Projector a(g);
    const Tensor x = rand(g.images_of({1, 1, 1, 1, 1}), Rng(1)), y = rand(g.projections_of({1, 1, 1, 1, 1}), Rng(2));
    const double forward = inner_product(a(x), y), back = inner_product(x, a.adjoint(y));
    CHECK(std::abs(forward - back) < 1e-5 * std::abs(forward));
    CHECK(forward > 0);
  }
}

TEST_CASE("projections of ellipses are within 1 % of the analytic ones") {
  const int n = 128;
  const Ellipse e{8, -11, 34, 21, 0.4};
  std::vector<double> pixels;
  for (int h = 0; h < n; ++h)
    for (int w = 0; w < n; ++w) pixels.push_back(e.share(w - (n - 1) / 2.0, h - (n - 1) / 2.0));
  const Tensor x = Tensor::from(pixels, {1, 1, n, n, 1});
  ProjectionGeometry g = parallel_geometry(n, n, 24);
  const auto error = [&](const ProjectionGeometry& of, auto&& wanted) {
    const auto y = Projector(of)(x).values();
    double off = 0, size = 0;
    for (int64_t view = 0; view < of.views(); ++view)
      for (int64_t k = 0; k < of.columns; ++k) {
        const double right = wanted(of.angles[size_t(view)], of.column_at(double(k)));
        off += std::pow(y[size_t(view * of.columns + k)] - right, 2);
        size += right * right;
      }
    return std::sqrt(off / size);
  };
  CHECK(error(g, [&](double t, double u) { return e.along(t, u); }) < 0.01);
  g.beam = Beam::fan;
  g.source_distance = 200;
  g.detector_distance = 150;
  g.column_spacing = 1.75;
  // The ray to column u of the detector is the parallel ray turned by its angle in the fan.
  CHECK(error(g, [&](double t, double u) {
          const double turn = std::atan2(u, 350);
          return e.along(t - turn, 200 * std::sin(turn));
        }) < 0.01);
}

TEST_CASE("a projector of parallel rays gives scikit-image's radon of a smooth image") {
  // scikit-image 0.26: radon(exp(-((c - 17)^2 / 40 + (r - 13)^2 / 25)), theta=[0, 30, 90, 135], circle=True) of 31 x 31 pixels, rows 12
  // to 18.
  const double wanted[4][7] = {{4.74333, 5.94018, 7.07621, 8.01840, 8.64290, 8.86170, 8.64290},
                               {3.77442, 5.02486, 6.33147, 7.56103, 8.53482, 9.13012, 9.24712},
                               {4.11861, 5.90333, 7.81087, 9.54022, 10.75657, 11.19555, 10.75657},
                               {7.42868, 8.65222, 9.48148, 9.77612, 9.48399, 8.65664, 7.43449}};
  std::vector<double> pixels;
  for (int r = 0; r < 31; ++r)
    for (int c = 0; c < 31; ++c) pixels.push_back(std::exp(-((c - 17.0) * (c - 17) / 40 + (r - 13.0) * (r - 13) / 25)));
  const double pi = std::numbers::pi;
  const ProjectionGeometry g{.volume = {1, 31, 31}, .angles = {0, -pi / 6, -pi / 2, -3 * pi / 4}, .columns = 31};
  const auto y = Projector(g)(Tensor::from(pixels, {1, 1, 31, 31, 1})).values();
  for (int view = 0; view < 4; ++view)
    for (int k = 0; k < 7; ++k) CHECK(close(y[size_t(view * 31 + 12 + k)], wanted[view][k], 0.01));
}
