#include "core/cuda/launch.h"
#include "kernels/fft/fft_kernels.h"

namespace voxgrad {
namespace {

// One pass of Stockham's transform, as in fft_isa.cpp, over all lines. The first pass of an axis reads its lines rotated, so that their
// middle comes first, the last one writes them so.
struct FftPass {
  FftAxis axis;
  int64_t radix, done;  // the product of the radices before
  bool first, last, inverse;
  double scale;
};

__device__ inline int64_t rotated(bool wanted, int64_t i, int64_t n) {
  const int64_t j = wanted ? i + n / 2 : i;
  return j < n ? j : j - n;
}

// roots[k] = exp(-2 pi i k / n)
template <class T>
__global__ void fft_roots_kernel(int64_t n, Pack<T, 2>* roots) {
  for (int64_t k : grid_stride(n)) {
    const FftRoot w = fft_root(2 * k, n);
    roots[k] = {{T(w.re), T(w.im)}};
  }
}

// A thread per result: any radix, the sum being written out.
template <class T>
__global__ void fft_pass_kernel(FftPass p, const Pack<T, 2>* roots, const Pack<T, 2>* x, Pack<T, 2>* y) {
  const int64_t n = p.axis.n, inner = p.axis.inner, m = n / (p.done * p.radix), step = n / p.radix;
  const T sign = p.inverse ? T(-1) : T(1), scale = T(p.scale);
  for (int64_t i : grid_stride(p.axis.outer * n * inner)) {
    const int64_t at = i / inner % n, line = i / (inner * n) * n * inner + i % inner;
    const int64_t r = at % p.done, k = at / p.done % p.radix, q = at / (p.done * p.radix);
    T re = 0, im = 0;
    for (int64_t j = 0; j < p.radix; ++j) {
      const Pack<T, 2> v = x[line + inner * rotated(p.first, r + p.done * (q + m * j), n)], w = roots[j * k % p.radix * step];
      re += w.v[0] * v.v[0] - sign * w.v[1] * v.v[1];
      im += w.v[0] * v.v[1] + sign * w.v[1] * v.v[0];
    }
    const Pack<T, 2> w = roots[q * k * p.done];
    y[line + inner * rotated(p.last, at, n)] = {{scale * (w.v[0] * re - sign * w.v[1] * im), scale * (w.v[0] * im + sign * w.v[1] * re)}};
  }
}

// The passes of all axes go back and forth between y and other memory, so that the last one ends in y.
template <class T>
void fft_passes(Cuda on, const FftProblem& p, const Pack<T, 2>* x, Pack<T, 2>* y) {
  int64_t passes[3][kFftMostFactors];
  int count[3], total = 0;
  for (int a = 0; a < p.axes; ++a) {
    count[a] = fft_radices(p.axis[a].n, passes[a]);
    if (count[a] == 0) passes[a][count[a]++] = 1;
    total += count[a];
  }
  const int64_t elements = p.axis[0].outer * p.axis[0].n * p.axis[0].inner;
  const Scratch other(on, total > 1 ? elements * int64_t(sizeof(Pack<T, 2>)) : 1);
  for (int a = 0; a < p.axes; ++a) {
    const FftAxis& axis = p.axis[a];
    const Scratch roots(on, axis.n * int64_t(sizeof(Pack<T, 2>)));
    launch<fft_roots_kernel<T>>(on, grid_over(axis.n), axis.n, roots.as<Pack<T, 2>>());
    int64_t done = 1;
    for (int i = 0; i < count[a]; ++i, --total) {
      Pack<T, 2>* const to = total % 2 == 1 ? y : other.as<Pack<T, 2>>();
      const bool last = i + 1 == count[a];
      const FftPass pass{axis, passes[a][i], done, i == 0, last, p.inverse, last ? axis.scale() : 1};
      launch<fft_pass_kernel<T>>(on, grid_over(elements), pass, static_cast<const Pack<T, 2>*>(roots.as<Pack<T, 2>>()), x, to);
      done *= pass.radix;
      x = to;
    }
  }
}

}  // namespace

void fft_axes(Cuda on, const FftProblem& p, View x, View y) {
  x.dtype == DType::f64 ? fft_passes(on, p, x.as<const Pack<double, 2>>(), y.as<Pack<double, 2>>())
                        : fft_passes(on, p, x.as<const Pack<float, 2>>(), y.as<Pack<float, 2>>());
}

}  // namespace voxgrad
