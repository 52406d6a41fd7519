#include "kernels/fft/fft_tables.h"

namespace voxgrad::fft_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {

constexpr int64_t L = kFftLanes;

// A complex number of each lane.
template <class T>
struct Complex {
  T re[L], im[L];
};

template <class T>
inline void read(Complex<T>& c, const T* p) {
  for (int64_t l = 0; l < L; ++l) c.re[l] = p[l], c.im[l] = p[L + l];
}
// p = (re, im) times the root w.
template <class T>
inline void write_times(T* p, const T* re, const T* im, const T* w) {
  const T a = w[0], b = w[1];
  for (int64_t l = 0; l < L; ++l) {
    p[l] = a * re[l] - b * im[l];
    p[L + l] = a * im[l] + b * re[l];
  }
}

// y[k] = sum_j x[j] exp(-2 pi i j k / p) for p = 2, 3, 4, 5 by their symmetries.
template <class T>
inline void butterfly2(const Complex<T>* x, Complex<T>* y) {
  for (int64_t l = 0; l < L; ++l) {
    y[0].re[l] = x[0].re[l] + x[1].re[l], y[0].im[l] = x[0].im[l] + x[1].im[l];
    y[1].re[l] = x[0].re[l] - x[1].re[l], y[1].im[l] = x[0].im[l] - x[1].im[l];
  }
}
template <class T>
inline void butterfly3(const Complex<T>* x, Complex<T>* y) {
  const T s = T(0.86602540378443864676);
  for (int64_t l = 0; l < L; ++l) {
    const T pr = x[1].re[l] + x[2].re[l], pi = x[1].im[l] + x[2].im[l];
    const T mr = s * (x[1].re[l] - x[2].re[l]), mi = s * (x[1].im[l] - x[2].im[l]);
    const T ar = x[0].re[l] - pr / 2, ai = x[0].im[l] - pi / 2;
    y[0].re[l] = x[0].re[l] + pr, y[0].im[l] = x[0].im[l] + pi;
    y[1].re[l] = ar + mi, y[1].im[l] = ai - mr;
    y[2].re[l] = ar - mi, y[2].im[l] = ai + mr;
  }
}
template <class T>
inline void butterfly4(const Complex<T>* x, Complex<T>* y) {
  for (int64_t l = 0; l < L; ++l) {
    const T ar = x[0].re[l] + x[2].re[l], ai = x[0].im[l] + x[2].im[l], br = x[0].re[l] - x[2].re[l], bi = x[0].im[l] - x[2].im[l];
    const T cr = x[1].re[l] + x[3].re[l], ci = x[1].im[l] + x[3].im[l], dr = x[1].re[l] - x[3].re[l], di = x[1].im[l] - x[3].im[l];
    y[0].re[l] = ar + cr, y[0].im[l] = ai + ci;
    y[1].re[l] = br + di, y[1].im[l] = bi - dr;
    y[2].re[l] = ar - cr, y[2].im[l] = ai - ci;
    y[3].re[l] = br - di, y[3].im[l] = bi + dr;
  }
}
template <class T>
inline void butterfly5(const Complex<T>* x, Complex<T>* y) {
  const T c1 = T(0.30901699437494742410), c2 = T(-0.80901699437494742410), s1 = T(0.95105651629515357212), s2 = T(0.58778525229247312917);
  for (int64_t l = 0; l < L; ++l) {
    const T ar = x[1].re[l] + x[4].re[l], ai = x[1].im[l] + x[4].im[l], br = x[1].re[l] - x[4].re[l], bi = x[1].im[l] - x[4].im[l];
    const T cr = x[2].re[l] + x[3].re[l], ci = x[2].im[l] + x[3].im[l], dr = x[2].re[l] - x[3].re[l], di = x[2].im[l] - x[3].im[l];
    const T er = x[0].re[l] + c1 * ar + c2 * cr, ei = x[0].im[l] + c1 * ai + c2 * ci, fr = s1 * br + s2 * dr, fi = s1 * bi + s2 * di;
    const T gr = x[0].re[l] + c2 * ar + c1 * cr, gi = x[0].im[l] + c2 * ai + c1 * ci, hr = s2 * br - s1 * dr, hi = s2 * bi - s1 * di;
    y[0].re[l] = x[0].re[l] + ar + cr, y[0].im[l] = x[0].im[l] + ai + ci;
    y[1].re[l] = er + fi, y[1].im[l] = ei - fr;
    y[4].re[l] = er - fi, y[4].im[l] = ei + fr;
    y[2].re[l] = gr + hi, y[2].im[l] = gi - hr;
    y[3].re[l] = gr - hi, y[3].im[l] = gi + hr;
  }
}

// A pass of Stockham's transform: of radix p, `done` the product of the radices before. With n' = n / done and m = n' / p,
// y[r + done (p q + k)] = exp(-2 pi i q k / n') sum_j x[r + done (q + m j)] exp(-2 pi i j k / p).
template <int P, class T, class F>
void pass(const FftTable<T>& t, int64_t done, const T* x, T* y, F&& butterfly) {
  const int64_t m = t.n / done / P;
  Complex<T> in[P], out[P];
  for (int64_t q = 0; q < m; ++q)
    for (int64_t r = 0; r < done; ++r) {
      for (int64_t j = 0; j < P; ++j) read(in[j], x + 2 * L * (r + done * (q + m * j)));
      butterfly(in, out);
      for (int64_t k = 0; k < P; ++k) write_times(y + 2 * L * (r + done * (P * q + k)), out[k].re, out[k].im, t.roots + 2 * q * k * done);
    }
}

template <class T>
void pass_of_any(const FftTable<T>& t, int64_t p, int64_t done, const T* x, T* y) {
  const int64_t m = t.n / done / p, step = t.n / p;
  for (int64_t q = 0; q < m; ++q)
    for (int64_t r = 0; r < done; ++r)
      for (int64_t k = 0; k < p; ++k) {
        T re[L] = {}, im[L] = {};
        for (int64_t j = 0; j < p; ++j) {
          const T* const from = x + 2 * L * (r + done * (q + m * j));
          const T *w = t.roots + 2 * (j * k % p * step), a = w[0], b = w[1];
          for (int64_t l = 0; l < L; ++l) {
            re[l] += a * from[l] - b * from[L + l];
            im[l] += a * from[L + l] + b * from[l];
          }
        }
        write_times(y + 2 * L * (r + done * (p * q + k)), re, im, t.roots + 2 * q * k * done);
      }
}

template <class T>
T* transform(const FftTable<T>& t, T* x, T* y) {
  int64_t done = 1;
  for (int i = 0; i < t.radices; ++i) {
    const int64_t p = t.radix[i];
    if (p == 2) pass<2>(t, done, x, y, butterfly2<T>);
    else if (p == 3) pass<3>(t, done, x, y, butterfly3<T>);
    else if (p == 4) pass<4>(t, done, x, y, butterfly4<T>);
    else if (p == 5) pass<5>(t, done, x, y, butterfly5<T>);
    else pass_of_any(t, p, done, x, y);
    done *= p;
    T* const z = x;
    x = y;
    y = z;
  }
  return x;
}

// lines[i] times w[i], real and imaginary parts exchanged where `exchanged`: the transform of that is the inverse one, exchanged.
template <class T>
void multiply(T* lines, const T* w, int64_t n, bool exchanged) {
  for (int64_t i = 0; i < n; ++i) {
    Complex<T> c;
    T* const p = lines + 2 * L * i;
    read(c, p);
    write_times(p, c.re, c.im, w + 2 * i);
    for (int64_t l = 0; l < L && exchanged; ++l) {
      const T re = p[l];
      p[l] = p[L + l];
      p[L + l] = re;
    }
  }
}

template <class T>
T* chirped(const FftTable<T>& t, const FftChirp<T>& c, int64_t n, T* x, T* y) {
  multiply(x, c.chirp, n, false);
  for (int64_t i = 2 * L * n; i < 2 * L * c.m; ++i) x[i] = 0;
  T* const spectrum = transform(t, x, y);
  multiply(spectrum, c.filter, c.m, true);
  T* const result = transform(t, spectrum, spectrum == x ? y : x);
  for (int64_t i = 0; i < n; ++i) {
    T* const p = result + 2 * L * i;
    Complex<T> e;
    for (int64_t l = 0; l < L; ++l) e.re[l] = p[L + l], e.im[l] = p[l];
    write_times(p, e.re, e.im, c.chirp + 2 * i);
  }
  return result;
}

}  // namespace

float* fft_lines(const FftTable<float>& t, float* x, float* y) { return transform(t, x, y); }
double* fft_lines(const FftTable<double>& t, double* x, double* y) { return transform(t, x, y); }
float* fft_chirped(const FftTable<float>& t, const FftChirp<float>& c, int64_t n, float* x, float* y) { return chirped(t, c, n, x, y); }
double* fft_chirped(const FftTable<double>& t, const FftChirp<double>& c, int64_t n, double* x, double* y) {
  return chirped(t, c, n, x, y);
}

}  // namespace voxgrad::fft_kernels::VOXGRAD_ISA_NAMESPACE
