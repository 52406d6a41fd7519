#include "layers/tomography/filtered_backprojection.h"

#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/fft/fft.h"
#include "kernels/matmul/matmul.h"
#include "kernels/permute/permute.h"

namespace voxgrad {
namespace {

constexpr double kPi = std::numbers::pi;

double window_at(RampWindow window, double f) {
  switch (window) {
    case RampWindow::ramp: return 1;
    case RampWindow::shepp_logan: return f == 0 ? 1 : std::sin(kPi * f) / (kPi * f);
    case RampWindow::cosine: return std::cos(kPi * f);
    case RampWindow::hamming: return 0.54 + 0.46 * std::cos(2 * kPi * f);
    default: return 0.5 + 0.5 * std::cos(2 * kPi * f);
  }
}

// The filter at the distances 0 .. columns - 1, for a spacing of 1.
std::vector<double> filter_taps(int64_t columns, RampWindow window) {
  int64_t n = 64;
  while (n < 2 * columns) n *= 2;
  std::vector<double> ramp(size_t(2 * n), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t k = i - n / 2;
    ramp[size_t(2 * i)] = k == 0 ? 0.25 : k % 2 != 0 ? -1 / (kPi * kPi * double(k * k)) : 0;
  }
  Tensor response = fft(Tensor::from(ramp, {1, 1, 1, n, 2}, DType::f64), 1);
  std::vector<double> factors;
  for (int64_t i = 0; i < n; ++i) factors.push_back(window_at(window, double(i - n / 2) / double(n)));
  const std::vector<double> taps = ifft(response * Tensor::from(factors, {1, 1, 1, n, 1}, DType::f64), 1).values();
  std::vector<double> out;
  for (int64_t k = 0; k < columns; ++k) out.push_back(taps[size_t(2 * (n / 2 + k))]);
  return out;
}

// How much smaller what the detector shows is at the axis.
double shrinking(const ProjectionGeometry& g) {
  return g.beam == Beam::parallel ? 1 : g.source_distance / (g.source_distance + g.detector_distance);
}

// Radians between views.
double view_step(const ProjectionGeometry& g) { return std::abs(g.angles.back() - g.angles.front()) / double(g.views() - 1); }

// The cosine of each ray's angle with the one in the middle, {1, rows, 1, columns, 1}.
Tensor ray_cosines(const ProjectionGeometry& g, const Tensor& like) {
  std::vector<double> w;
  const int64_t rows = g.beam == Beam::cone ? g.rows : 1;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < g.columns; ++k) {
      const double u = g.column_at(double(k)) * shrinking(g), v = g.beam == Beam::cone ? g.row_at(double(r)) * shrinking(g) : 0;
      w.push_back(g.source_distance / std::sqrt(g.source_distance * g.source_distance + u * u + v * v));
    }
  return Tensor::from(w, {1, rows, 1, g.columns, 1}, like.dtype(), like.device());
}

}  // namespace

LinearMap projection_map(const Projector& p) {
  return {.forward = [p](const Tensor& x) { return p(x); }, .adjoint = [p](const Tensor& y) { return p.adjoint(y); }};
}

Tensor filter_projections(const Tensor& y, const ProjectionGeometry& g, RampWindow window) {
  check(y && y.shape().rank == 5 && y.dim(3) == g.columns, "filter_projections: the geometry has ", g.columns,
        " columns, projections {N, rows, views, columns, C} of as many are wanted, not ", y);
  const int64_t n = g.columns, channels = y.dim(4);
  const std::vector<double> taps = filter_taps(n, window);
  std::vector<double> table;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) table.push_back(taps[size_t(std::abs(i - j))] / (g.column_spacing * shrinking(g)));
  const Tensor toeplitz = Tensor::from(table, {n, n}, y.dtype(), y.device());
  const Shape s = y.shape();
  if (channels == 1) return matmul(y.reshape({y.count() / n, n}), toeplitz).reshape(s);
  const Tensor columns_last = permute(y, {0, 1, 2, 4, 3});
  return permute(matmul(columns_last.reshape({y.count() / n, n}), toeplitz).reshape(columns_last.shape()), {0, 1, 2, 4, 3});
}

bool is_short_scan(const ProjectionGeometry& g) {
  if (g.beam == Beam::parallel || g.views() < 2) return false;
  const double step = view_step(g);
  const bool is_short = double(g.views()) * step < 2 * kPi - step / 2;
  check(!is_short || double(g.views()) * step >= kPi, "filtered_backprojection: ", g.views(), " views over ", double(g.views()) * step,
        " radians, at least half a turn and the angle of the fan are wanted");
  return is_short;
}

std::vector<double> parker_weights(const ProjectionGeometry& g) {
  const double step = view_step(g), spare = (double(g.views()) * step - kPi) / 2, way = g.angles.back() >= g.angles.front() ? 1 : -1;
  const auto rising = [](double part) { return part >= 1 ? 1 : std::pow(std::sin(kPi / 2 * std::fmax(part, 0)), 2); };
  std::vector<double> out;
  for (int64_t view = 0; view < g.views(); ++view)
    for (int64_t k = 0; k < g.columns; ++k) {
      const double begun = (double(view) + 0.5) * step, left = kPi + 2 * spare - begun;
      const double gamma = way * std::atan(g.column_at(double(k)) / (g.source_distance + g.detector_distance));
      // The ray is met again half a turn less 2 gamma later, so that as many radians of the beginning and the end are seen twice.
      const double twice_before = 2 * (spare + gamma), twice_behind = 2 * (spare - gamma);
      const double first = twice_before > 0 ? rising(begun / twice_before) : 1, last = twice_behind > 0 ? rising(left / twice_behind) : 1;
      out.push_back(first * last);
    }
  return out;
}

Tensor filtered_backprojection(const Tensor& y, const ProjectionGeometry& g, RampWindow window) {
  const Unrecorded quiet;
  const bool is_short = is_short_scan(g);
  Tensor weighted = g.beam == Beam::parallel ? y : y * ray_cosines(g, y);
  if (is_short) weighted = weighted * Tensor::from(parker_weights(g), {1, 1, g.views(), g.columns, 1}, y.dtype(), y.device());
  // Of a whole turn half counts, since all is seen twice.
  const double scale = is_short ? view_step(g) : kPi / double(g.views());
  return backproject(filter_projections(weighted, g, window), g, scale);
}

}  // namespace voxgrad
