#include "data/resample_nnunet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/device/parallel.h"
#include "core/error.h"

namespace voxgrad {
namespace {

constexpr double kAnisotropic = 3;
constexpr int kRim = 12;  // voxels that the outermost one is repeated by, as SciPy does
constexpr int64_t kLanes = 16;

// The coarsest axis; -1 where there are several.
int coarse_axis(const Vec3& spacing) {
  const auto most = std::max_element(spacing.begin(), spacing.end());
  return std::count(spacing.begin(), spacing.end(), *most) == 1 ? int(most - spacing.begin()) : -1;
}

bool is_anisotropic(const Vec3& spacing) {
  return *std::max_element(spacing.begin(), spacing.end()) / *std::min_element(spacing.begin(), spacing.end()) > kAnisotropic;
}

// A row of weights for a sample: `taps` voxels from `first` on.
struct Sampling {
  int taps = 0;
  std::vector<int64_t> first;
  std::vector<double> weights;
};

Sampling sampling_of(int64_t from, int64_t to, int order) {
  Sampling s{.taps = order == 3 ? 4 : order == 1 ? 2 : 1};
  for (int64_t i = 0; i < to; ++i) {
    const double at = double(from) / double(to) * (double(i) + 0.5) - 0.5;
    if (order == 0) {
      s.first.push_back(std::clamp<int64_t>(int64_t(std::floor(at + 0.5)), 0, from - 1));
      s.weights.push_back(1);
      continue;
    }
    const double base = std::floor(at), t = at - base, u = 1 - t;
    s.first.push_back(int64_t(base) - (order == 3 ? 1 : 0));
    if (order == 1) s.weights.insert(s.weights.end(), {u, t});
    else
      s.weights.insert(s.weights.end(),
                       {u * u * u / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * u * u + 3 * u * u * u) / 6, t * t * t / 6});
  }
  return s;
}

// Coefficients of the cubic B-spline through the values of n rows of kLanes numbers (Unser 1999), which go on as they end.
void to_coefficients(double* x, int64_t n) {
  const double pole = std::sqrt(3.0) - 2, gain = 6;
  for (int64_t l = 0; l < kLanes; ++l) x[l] *= gain / (1 - pole);
  for (int64_t i = 1; i < n; ++i)
    for (int64_t l = 0; l < kLanes; ++l) x[i * kLanes + l] = gain * x[i * kLanes + l] + pole * x[(i - 1) * kLanes + l];
  for (int64_t l = 0; l < kLanes; ++l) x[(n - 1) * kLanes + l] *= -pole / (1 - pole);
  for (int64_t i = n - 1; i-- > 0;)
    for (int64_t l = 0; l < kLanes; ++l) x[i * kLanes + l] = pole * (x[(i + 1) * kLanes + l] - x[i * kLanes + l]);
}

// {outer, n, inner} to {outer, m, inner}.
Tensor along(const Tensor& x, int axis, int64_t m, int order) {
  const int64_t n = x.dim(axis);
  if (n == m) return x;
  Shape shape = x.shape();
  int64_t inner = 1;
  for (int a = axis + 1; a < shape.rank; ++a) inner *= shape[a];
  const int64_t lines = x.count() / n;
  shape[axis] = m;
  const Tensor y = Tensor::empty(shape);
  const float* from = x.view().as<float>();
  float* to = y.view().as<float>();
  const Sampling s = sampling_of(n, m, order);
  const int64_t rows = n + 2 * kRim;
  parallel_for(chunk_count(lines, kLanes), 1, [&](int64_t chunk) {
    const int64_t begin = chunk * kLanes, count = std::min(kLanes, lines - begin);
    std::vector<double> buffer(size_t(rows * kLanes), 0.0);
    for (int64_t l = 0; l < count; ++l) {
      const float* line = from + (begin + l) / inner * n * inner + (begin + l) % inner;
      for (int64_t i = 0; i < rows; ++i) buffer[size_t(i * kLanes + l)] = double(line[std::clamp<int64_t>(i - kRim, 0, n - 1) * inner]);
    }
    if (order == 3) to_coefficients(buffer.data(), rows);
    for (int64_t i = 0; i < m; ++i) {
      double sum[kLanes] = {};
      for (int t = 0; t < s.taps; ++t) {
        const double w = s.weights[size_t(i * s.taps + t)];
        const double* row = buffer.data() + (s.first[size_t(i)] + t + kRim) * kLanes;
        for (int64_t l = 0; l < kLanes; ++l) sum[l] += w * row[l];
      }
      for (int64_t l = 0; l < count; ++l) to[(begin + l) / inner * m * inner + (begin + l) % inner + i * inner] = float(sum[l]);
    }
  });
  return y;
}

// Per channel, and per slice along `axis` where there is one.
struct Ranges {
  int axis = -1;
  std::vector<float> low, high;
  explicit Ranges(const Tensor& x, int by) : axis(by) {
    const int64_t groups = (axis < 0 ? 1 : x.dim(axis)) * x.dim(3);
    low.assign(size_t(groups), INFINITY);
    high.assign(size_t(groups), -INFINITY);
    const float* v = x.view().as<float>();
    for (int64_t i = 0; i < x.count(); ++i) {
      const size_t g = group(x.shape(), i);
      low[g] = std::min(low[g], v[i]);
      high[g] = std::max(high[g], v[i]);
    }
  }
  void clip(const Tensor& x) const {
    float* v = x.view().as<float>();
    parallel_for(x.count(), 1 << 15, [&](int64_t i) {
      const size_t g = group(x.shape(), i);
      v[i] = std::min(std::max(v[i], low[g]), high[g]);
    });
  }

 private:
  size_t group(const Shape& s, int64_t i) const {
    const int64_t c = i % s[3];
    if (axis < 0) return size_t(c);
    int64_t step = s[3];
    for (int a = 2; a > axis; --a) step *= s[a];
    return size_t(i / step % s[axis] * s[3] + c);
  }
};

}  // namespace

Tensor resample_nnunet(const Tensor& x, Int3 size, const NnunetResampling& how) {
  check(x.shape().rank == 4 && x.dtype() == DType::f32, "resample_nnunet: ", x, ", wanted f32 {D, H, W, C}");
  check(how.order == 1 || how.order == 3, "resample_nnunet: the order ", how.order, ", 1 and 3 are possible");
  if (x.dim(0) == size.d && x.dim(1) == size.h && x.dim(2) == size.w) return x;
  const int axis = is_anisotropic(how.from) ? coarse_axis(how.from) : is_anisotropic(how.to) ? coarse_axis(how.to) : -1;
  Tensor y = x;
  for (int a = 0; a < 3; ++a)
    if (a != axis) y = along(y, a, size[a], how.order);
  if (how.order == 3) Ranges(x, axis).clip(y.shares_memory_with(x) ? y = y.clone() : y);
  return axis < 0 ? y : along(y, axis, size[axis], 0);
}

}  // namespace voxgrad
