#include <algorithm>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/spline_coefficients/spline_coefficients_kernels.h"
#include "kernels/spline_coefficients/spline_coefficients_variants.h"

namespace voxgrad {
namespace {

// Lines along the axis, kSplineLanes at a time: neighbours in memory where there are as many, else from several places.
template <class T>
struct Lines {
  static constexpr int64_t kLanes = kSplineLanes;
  int64_t first, count, inner, n;

  // Element 0 of line `lane` in a tensor whose axis has `extent` elements.
  int64_t start(int64_t lane, int64_t extent) const { return (first + lane) / inner * extent * inner + (first + lane) % inner; }
  bool adjacent() const { return first % inner + count <= inner; }

  void read(const T* x, T* rows) const {
    if (adjacent()) {
      const T* from = x + start(0, n);
      for (int64_t i = 0; i < n; ++i) std::copy_n(from + i * inner, count, rows + i * kLanes);
      return;
    }
    for (int64_t l = 0; l < count; ++l) {
      const T* from = x + start(l, n);
      for (int64_t i = 0; i < n; ++i) rows[i * kLanes + l] = from[i * inner];
    }
  }
  void write(const T* rows, int64_t extent, T* y) const {
    if (adjacent()) {
      T* to = y + start(0, extent);
      for (int64_t i = 0; i < extent; ++i) std::copy_n(rows + i * kLanes, count, to + i * inner);
      return;
    }
    for (int64_t l = 0; l < count; ++l) {
      T* to = y + start(l, extent);
      for (int64_t i = 0; i < extent; ++i) to[i * inner] = rows[i * kLanes + l];
    }
  }
};

template <class T, class F>
void filter(const ReduceRuns& p, const T* x, T* y, F&& lines_of) {
  constexpr int64_t kGrain = 1 << 14;
  const int64_t lines = p.outer * p.inner, extent = p.reduced + 2 * kSplineRim;
  const int64_t grain = std::max<int64_t>(1, kGrain / (extent * kSplineLanes));
  parallel_ranges(chunk_count(lines, kSplineLanes), grain, [&](int64_t begin, int64_t end) {
    std::vector<T> rows(size_t(extent * kSplineLanes), T(0));
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t first = chunk * kSplineLanes;
      const Lines<T> these{first, std::min(kSplineLanes, lines - first), p.inner, p.reduced};
      these.read(x, rows.data() + kSplineRim * kSplineLanes);
      lines_of(rows.data(), p.reduced);
      these.write(rows.data(), extent, y);
    }
  });
}

}  // namespace

void spline_filter(Cpu, const ReduceRuns& p, View x, View y) {
  const auto with = [&](auto lines_of) {
    if (x.dtype == DType::f64) filter(p, x.as<double>(), y.as<double>(), lines_of);
    else filter(p, x.as<float>(), y.as<float>(), lines_of);
  };
#define X(SET) with([](auto* rows, int64_t n) { spline_kernels::SET::spline_lines(rows, n); })
  VOXGRAD_ON_ISA(X);
#undef X
}

}  // namespace voxgrad
