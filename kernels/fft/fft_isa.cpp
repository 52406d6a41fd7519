#include "kernels/fft/fft_tables.h"

namespace voxgrad::fft_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {

constexpr int64_t L = kFftLanes;
#define VOXGRAD_LANES inline __attribute__((always_inline))

// A number of each lane. Where registers are narrower the compiler takes several.
template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float type __attribute__((vector_size(L * 4)));
};
template <>
struct LanesOf<double> {
  typedef double type __attribute__((vector_size(L * 8)));
};

// A complex number of each lane.
template <class T>
struct Complex {
  typename LanesOf<T>::type re, im;
};
template <class T>
VOXGRAD_LANES Complex<T> operator+(const Complex<T>& a, const Complex<T>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
VOXGRAD_LANES Complex<T> operator-(const Complex<T>& a, const Complex<T>& b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
VOXGRAD_LANES Complex<T> operator*(T s, const Complex<T>& a) {
  return {s * a.re, s * a.im};
}
// i a
template <class T>
VOXGRAD_LANES Complex<T> turned(const Complex<T>& a) {
  return {-a.im, a.re};
}
// a times the root w
template <class T>
VOXGRAD_LANES Complex<T> times(const Complex<T>& a, const T* w) {
  return {w[0] * a.re - w[1] * a.im, w[0] * a.im + w[1] * a.re};
}
template <class T>
VOXGRAD_LANES Complex<T> read(const T* p) {
  Complex<T> c;
  __builtin_memcpy(&c.re, p, sizeof c.re);
  __builtin_memcpy(&c.im, p + L, sizeof c.im);
  return c;
}
template <class T>
VOXGRAD_LANES void write(T* p, const Complex<T>& c) {
  __builtin_memcpy(p, &c.re, sizeof c.re);
  __builtin_memcpy(p + L, &c.im, sizeof c.im);
}

// y[k] = sum_j x[j] exp(-2 pi i j k / p) for p = 2, 3, 4, 5 by their symmetries.
template <class T>
struct Butterfly2 {
  static constexpr int64_t kRadix = 2;
  static VOXGRAD_LANES void apply(const Complex<T>* x, Complex<T>* y) { y[0] = x[0] + x[1], y[1] = x[0] - x[1]; }
};
template <class T>
struct Butterfly3 {
  static constexpr int64_t kRadix = 3;
  static VOXGRAD_LANES void apply(const Complex<T>* x, Complex<T>* y) {
    const Complex<T> sum = x[1] + x[2], side = turned(T(0.86602540378443864676) * (x[1] - x[2])), middle = x[0] - T(0.5) * sum;
    y[0] = x[0] + sum, y[1] = middle - side, y[2] = middle + side;
  }
};
template <class T>
struct Butterfly4 {
  static constexpr int64_t kRadix = 4;
  static VOXGRAD_LANES void apply(const Complex<T>* x, Complex<T>* y) {
    const Complex<T> a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = turned(x[1] - x[3]);
    y[0] = a + c, y[1] = b - d, y[2] = a - c, y[3] = b + d;
  }
};
template <class T>
struct Butterfly5 {
  static constexpr int64_t kRadix = 5;
  static VOXGRAD_LANES void apply(const Complex<T>* x, Complex<T>* y) {
    const T c1 = T(0.30901699437494742410), c2 = T(-0.80901699437494742410), s1 = T(0.95105651629515357212), s2 = T(0.58778525229247312917);
    const Complex<T> a = x[1] + x[4], b = x[1] - x[4], c = x[2] + x[3], d = x[2] - x[3];
    const Complex<T> e = x[0] + c1 * a + c2 * c, f = turned(s1 * b + s2 * d), g = x[0] + c2 * a + c1 * c, h = turned(s2 * b - s1 * d);
    y[0] = x[0] + a + c, y[1] = e - f, y[4] = e + f, y[2] = g - h, y[3] = g + h;
  }
};

// A pass of Stockham's transform: of radix p, `done` the product of the radices before. With n' = n / done and m = n' / p,
// y[r + done (p q + k)] = exp(-2 pi i q k / n') sum_j x[r + done (q + m j)] exp(-2 pi i j k / p).
template <template <class> class Butterfly, class T>
void pass(const FftTable<T>& t, int64_t done, const T* x, T* y) {
  constexpr int64_t P = Butterfly<T>::kRadix;
  const int64_t m = t.n / done / P;
  for (int64_t q = 0; q < m; ++q)
    for (int64_t r = 0; r < done; ++r) {
      Complex<T> in[P], out[P];
      for (int64_t j = 0; j < P; ++j) in[j] = read(x + 2 * L * (r + done * (q + m * j)));
      Butterfly<T>::apply(in, out);
      T* const to = y + 2 * L * (r + done * P * q);
      write(to, out[0]);
      for (int64_t k = 1; k < P; ++k) write(to + 2 * L * done * k, times(out[k], t.roots + 2 * q * k * done));
    }
}

template <class T>
void pass_of_any(const FftTable<T>& t, int64_t p, int64_t done, const T* x, T* y) {
  const int64_t m = t.n / done / p, step = t.n / p;
  for (int64_t q = 0; q < m; ++q)
    for (int64_t r = 0; r < done; ++r)
      for (int64_t k = 0; k < p; ++k) {
        Complex<T> sum = {};
        for (int64_t j = 0; j < p; ++j) sum = sum + times(read(x + 2 * L * (r + done * (q + m * j))), t.roots + 2 * (j * k % p * step));
        write(y + 2 * L * (r + done * (p * q + k)), times(sum, t.roots + 2 * q * k * done));
      }
}

template <class T>
T* transform(const FftTable<T>& t, T* x, T* y) {
  int64_t done = 1;
  for (int i = 0; i < t.radices; ++i) {
    const int64_t p = t.radix[i];
    if (p == 2) pass<Butterfly2>(t, done, x, y);
    else if (p == 3) pass<Butterfly3>(t, done, x, y);
    else if (p == 4) pass<Butterfly4>(t, done, x, y);
    else if (p == 5) pass<Butterfly5>(t, done, x, y);
    else pass_of_any(t, p, done, x, y);
    done *= p;
    T* const z = x;
    x = y;
    y = z;
  }
  return x;
}

// lines[i] times w[i]; `exchanged`: with real and imaginary parts exchanged behind it, as the transform of that is the inverse one,
// exchanged.
template <class T>
void multiply(T* lines, const T* w, int64_t n, bool exchanged) {
  for (int64_t i = 0; i < n; ++i) {
    const Complex<T> c = times(read(lines + 2 * L * i), w + 2 * i);
    write(lines + 2 * L * i, exchanged ? Complex<T>{c.im, c.re} : c);
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
    const Complex<T> v = read(result + 2 * L * i);
    write(result + 2 * L * i, times(Complex<T>{v.im, v.re}, c.chirp + 2 * i));
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
