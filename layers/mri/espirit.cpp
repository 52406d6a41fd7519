#include "layers/mri/espirit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

using Complex = std::complex<double>;
using Matrix = Eigen::MatrixXcd;
using Vector = Eigen::VectorXcd;

constexpr int kMostIterations = 100;
constexpr double kConverged = 1e-12;  // square of the part that an eigenvector is off

// One slice of k-space, {h, w, coils} complex numbers.
struct Slice {
  const float* values;
  int64_t h, w, coils;
  Complex at(int64_t row, int64_t column, int64_t coil) const {
    const float* const v = values + 2 * ((row * w + column) * coils + coil);
    return {v[0], v[1]};
  }
};

// The middle of k-space that is used, and the blocks within it.
struct Middle {
  int64_t row, column, rows, columns;
  int kernel;
};
Middle middle_of(const Slice& s, const EspiritOptions& o) {
  const int64_t rows = std::min(s.h, o.rows > 0 ? o.rows : o.columns), columns = std::min(s.w, o.columns);
  return {std::max<int64_t>(0, s.h / 2 - rows / 2), std::max<int64_t>(0, s.w / 2 - columns / 2), rows, columns,
          int(std::clamp<int64_t>(std::min(rows, columns) / 3, 1, o.kernel))};
}

// The products of all numbers of a block {coils, kernel, kernel} with each other, summed over the blocks of the middle.
Matrix products_of_blocks(const Slice& s, const Middle& m) {
  const int64_t k = m.kernel, size = s.coils * k * k, down = m.rows - k + 1, across = m.columns - k + 1;
  Matrix blocks(down * across, size);
  for (int64_t i = 0; i < down * across; ++i)
    for (int64_t j = 0; j < size; ++j)
      blocks(i, j) = s.at(m.row + i / across + j / k % k, m.column + i % across + j % k, j / (k * k));
  return blocks.adjoint() * blocks;
}

// The projection onto the space of blocks, summed over pairs of places with one distance: row i + coils j has, of the coils i and j, all
// (2 kernel - 1)^2 distances.
Matrix correlations(const Matrix& products, int64_t coils, int kernel, double threshold) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solved(products);
  const Eigen::VectorXd& powers = solved.eigenvalues();  // squares of the singular values, ascending
  const int64_t size = products.rows(), k = kernel, lags = 2 * k - 1;
  const double least = threshold * threshold * powers[size - 1];
  int64_t first = size;
  while (first > 0 && powers[first - 1] > least && powers[first - 1] > 0) --first;
  const Matrix basis = solved.eigenvectors().rightCols(size - first), projection = (basis * basis.adjoint()).conjugate();
  Matrix out = Matrix::Zero(coils * coils, lags * lags);
  for (int64_t a = 0; a < size; ++a)
    for (int64_t b = 0; b < size; ++b) {
      const int64_t down = a / k % k - b / k % k + k - 1, across = a % k - b % k + k - 1;
      out(a / (k * k) + coils * (b / (k * k)), down * lags + across) += projection(a, b) / double(k * k);
    }
  return out;
}

// exp(2 pi i d (place - n / 2) / n) of the distances d = 1 - kernel .. kernel - 1.
Matrix waves(int64_t n, int kernel) {
  Matrix out(n, 2 * kernel - 1);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t d = 0; d < out.cols(); ++d)
      out(i, d) = std::polar(1.0, 2 * std::numbers::pi * double((d - kernel + 1) * (i - n / 2)) / double(n));
  return out;
}

// The eigenvector of the largest eigenvalue, by power iterations from `v` on; the eigenvalue.
double dominant(const Matrix& m, Vector& v) {
  double value = 0;
  for (int i = 0; i < kMostIterations; ++i) {
    Vector next = m * v;
    value = next.norm();
    if (!(value > 0)) return 0;
    next /= value;
    const double off = (next - v).squaredNorm();
    v = next;
    if (off < kConverged) break;
  }
  return value;
}

// What the coils are combined with to the strongest signal of the middle.
Vector strongest_combination(const Slice& s, const Middle& m) {
  Matrix middle(m.rows * m.columns, s.coils);
  for (int64_t i = 0; i < middle.rows(); ++i)
    for (int64_t c = 0; c < s.coils; ++c) middle(i, c) = s.at(m.row + i / m.columns, m.column + i % m.columns, c);
  const Eigen::SelfAdjointEigenSolver<Matrix> solved(middle.adjoint() * middle);
  return solved.eigenvectors().col(s.coils - 1).conjugate();
}

void sensitivities_of(const Slice& s, const EspiritOptions& o, float* out) {
  const Middle m = middle_of(s, o);
  const int64_t coils = s.coils, lags = 2 * m.kernel - 1;
  const Matrix lagged = correlations(products_of_blocks(s, m), coils, m.kernel, o.threshold);
  const Matrix down = waves(s.h, m.kernel), across = waves(s.w, m.kernel).transpose();
  const Vector strongest = strongest_combination(s, m);
  std::vector<double> values(size_t(s.h * s.w));
  parallel_for(s.h, 1, [&](int64_t row) {
    Matrix of_row = Matrix::Zero(coils * coils, lags);
    for (int64_t d = 0; d < lags; ++d) of_row += down(row, d) * lagged.middleCols(d * lags, lags);
    const Matrix pixels = of_row * across;
    Vector v = Vector::Ones(coils).normalized();
    for (int64_t column = 0; column < s.w; ++column) {
      const double value = dominant(Eigen::Map<const Matrix>(pixels.col(column).data(), coils, coils), v);
      const Complex phase = strongest.dot(v);
      const Complex turned = std::abs(phase) > 0 ? std::conj(phase) / std::abs(phase) : Complex(1);
      values[size_t(row * s.w + column)] = value;
      float* const to = out + 2 * coils * (row * s.w + column);
      for (int64_t c = 0; c < coils; ++c) {
        const Complex x = turned * v[c];
        to[2 * c] = float(x.real());
        to[2 * c + 1] = float(x.imag());
      }
      if (!(value > 0)) v = Vector::Ones(coils).normalized();
    }
  });
  const double least = o.crop * std::min(1.0, *std::max_element(values.begin(), values.end()));
  for (size_t i = 0; i < values.size(); ++i)
    if (!(values[i] > least)) std::fill_n(out + 2 * coils * int64_t(i), 2 * coils, 0.0f);
}

}  // namespace

Tensor espirit_sensitivities(const Tensor& kspace, const EspiritOptions& o) {
  check(kspace && kspace.shape().rank == 5 && kspace.dim(4) >= 2 && kspace.dim(4) % 2 == 0 && kspace.dtype() == DType::f32,
        "espirit_sensitivities: k-space f32 {N, D, H, W, 2 coils} is wanted, not ", kspace);
  check(o.columns >= 1 && o.rows >= 0 && o.kernel >= 1 && o.threshold >= 0 && o.threshold < 1, "espirit_sensitivities: blocks of ",
        o.kernel, " places, ", o.columns, " columns and ", o.rows, " rows, a threshold of ", o.threshold);
  const Tensor here = kspace.detach().to(Device{}), out = Tensor::empty(kspace.shape());
  const int64_t slices = kspace.dim(0) * kspace.dim(1), size = kspace.count() / std::max<int64_t>(1, slices);
  for (int64_t n = 0; n < slices; ++n)
    sensitivities_of({here.view().as<const float>() + n * size, kspace.dim(2), kspace.dim(3), kspace.dim(4) / 2}, o,
                     out.view().as<float>() + n * size);
  return out.to(kspace.device());
}

}  // namespace voxgrad
