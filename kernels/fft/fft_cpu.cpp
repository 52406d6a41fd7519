#include <algorithm>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/fft/fft_kernels.h"
#include "kernels/fft/fft_tables.h"

namespace voxgrad {
namespace {

constexpr int64_t kFftLargestRadix = 23;  // primes above go through a convolution

void put_root(std::vector<double>& into, int64_t j, int64_t n) {
  const FftRoot w = fft_root(j, n);
  into.insert(into.end(), {w.re, w.im});
}

template <class T>
class FftPlan {
 public:
  explicit FftPlan(int64_t n) : n_(n) {
    int64_t radix[kFftMostFactors];
    const int count = fft_radices(n, radix);
    int64_t length = n;
    if (count > 0 && *std::max_element(radix, radix + count) > kFftLargestRadix) length = smooth_from(2 * n - 1);
    table_.n = length;
    table_.radices = fft_radices(length, table_.radix);
    std::vector<double> roots;
    for (int64_t k = 0; k < length; ++k) put_root(roots, 2 * k, length);
    roots_.assign(roots.begin(), roots.end());
    table_.roots = roots_.data();
    if (length != n) make_chirp(length);
  }
  FftPlan(const FftPlan&) = delete;
  int64_t length() const { return table_.n; }

  T* operator()(T* lines, T* other) const {
#define X(SET) fft_kernels::SET::fft_chirped(table_, chirp_, n_, lines, other)
    if (chirp_.m) return VOXGRAD_ON_ISA(X);
#undef X
#define X(SET) fft_kernels::SET::fft_lines(table_, lines, other)
    return VOXGRAD_ON_ISA(X);
#undef X
  }

 private:
  // The next 2^a or 3 * 2^a.
  static int64_t smooth_from(int64_t least) {
    int64_t m = 1;
    while (m < least) m *= 2;
    return m >= 4 && m / 4 * 3 >= least ? m / 4 * 3 : m;
  }
  void make_chirp(int64_t m) {
    std::vector<double> chirp;
    for (int64_t j = 0; j < n_; ++j) put_root(chirp, j * j % (2 * n_), n_);
    chirp_values_.assign(chirp.begin(), chirp.end());
    const FftPlan<double> exact(m);
    std::vector<double> lines(size_t(2 * kFftLanes * m), 0.0), other(lines.size());
    for (int64_t j = 0; j < n_; ++j)
      for (const int64_t at : {j, j == 0 ? 0 : m - j}) {
        lines[size_t(2 * kFftLanes * at)] = chirp[size_t(2 * j)];
        lines[size_t(2 * kFftLanes * at + kFftLanes)] = -chirp[size_t(2 * j + 1)];
      }
    const double* const spectrum = exact(lines.data(), other.data());
    for (int64_t k = 0; k < m; ++k)
      for (int part = 0; part < 2; ++part) filter_.push_back(T(spectrum[2 * kFftLanes * k + part * kFftLanes] / double(m)));
    chirp_ = {m, chirp_values_.data(), filter_.data()};
  }

  int64_t n_;
  FftTable<T> table_;
  FftChirp<T> chirp_;
  std::vector<T> roots_, chirp_values_, filter_;
};

// Lines side by side, each rotated so that its middle comes first; real and imaginary parts are exchanged for the inverse.
template <class T>
struct FftBundle {
  const FftAxis& axis;
  int64_t first, count;
  bool inverse;

  // f(element of memory, of the real and of the imaginary part in the lines)
  template <class F>
  void each(F&& f) const {
    int64_t start[kFftLanes];
    for (int64_t l = 0; l < count; ++l) start[l] = 2 * ((first + l) / axis.inner * axis.n * axis.inner + (first + l) % axis.inner);
    const bool adjacent = first % axis.inner + count <= axis.inner;
    const int64_t n = axis.n, c = n / 2, re = inverse ? kFftLanes : 0, im = kFftLanes - re, lanes = count;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = 2 * kFftLanes * (i >= c ? i - c : i - c + n), at = 2 * i * axis.inner;
      if (adjacent)
        for (int64_t l = 0; l < lanes; ++l) f(start[0] + at + 2 * l, row + re + l, row + im + l);
      else
        for (int64_t l = 0; l < lanes; ++l) f(start[l] + at, row + re + l, row + im + l);
    }
  }
  void read(const T* x, T* lines) const {
    each([&](int64_t at, int64_t re, int64_t im) { lines[re] = x[at], lines[im] = x[at + 1]; });
  }
  void write(const T* lines, T* y) const {
    const T scale = T(axis.scale());
    each([&](int64_t at, int64_t re, int64_t im) { y[at] = scale * lines[re], y[at + 1] = scale * lines[im]; });
  }
};

template <class T>
void transform_axis(const FftAxis& axis, bool inverse, const T* x, T* y) {
  const FftPlan<T> plan(axis.n);
  const int64_t lines = axis.outer * axis.inner, work = 2 * kFftLanes * plan.length();
  constexpr int64_t kGrain = 1 << 14;
  parallel_ranges(chunk_count(lines, kFftLanes), std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    std::vector<T> memory(size_t(2 * work), T(0));
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t first = chunk * kFftLanes;
      const FftBundle<T> bundle{axis, first, std::min(kFftLanes, lines - first), inverse};
      bundle.read(x, memory.data());
      bundle.write(plan(memory.data(), memory.data() + work), y);
    }
  });
}

}  // namespace

void fft_axes(Cpu, const FftProblem& p, View x, View y) {
  const auto run = [&]<class T>(const T* from, T* to) {
    for (int a = 0; a < p.axes; ++a) transform_axis(p.axis[a], p.inverse, a == 0 ? from : static_cast<const T*>(to), to);
  };
  x.dtype == DType::f64 ? run(x.as<const double>(), y.as<double>()) : run(x.as<const float>(), y.as<float>());
}

}  // namespace voxgrad
