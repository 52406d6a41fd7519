// Functions of one f32, as a number or as the lanes of a vector (V), without branches: loops over them become vectors. Within 4 units in
// the last place, log1p 5; infinities and NaNs are as std:: has them, results below the least normal number may be 0.
// Included inside the namespace of one instruction set, after kernels/simd/lanes.h and <cmath>.

template <class V>
struct BitsOf {
  using type = Mask<float>;
};
template <>
struct BitsOf<float> {
  using type = int32_t;
};
template <class V>
using Bits = typename BitsOf<V>::type;

// n ln 2 + r = x with |r| <= ln 2 / 2.
template <class V>
struct ExpParts {
  V r;
  Bits<V> n;
};
template <class V>
VOXGRAD_INLINE ExpParts<V> exp_parts(V x) {
  constexpr float magic = 12582912.f;  // 1.5 2^23: adding it rounds to an integer
  const V shifted = x * 1.44269504f + magic, n = shifted - magic;
  return {(x - n * 0.693145752f) - n * 1.42860677e-6f, __builtin_bit_cast(Bits<V>, shifted) - 0x4b400000};
}
template <class V>
VOXGRAD_INLINE V power_of_two(Bits<V> n) {
  return __builtin_bit_cast(V, (n + 127) << 23);
}
// (e^r - 1) / r, by its Taylor series.
template <class V>
VOXGRAD_INLINE V exp_series(V r) {
  V y = r * (1.f / 5040) + 1.f / 720;
  y = y * r + 1.f / 120;
  y = y * r + 1.f / 24;
  y = y * r + 1.f / 6;
  y = y * r + 0.5f;
  return y * r + 1.f;
}

// ln x for normal x > 0: x = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
template <class V>
struct LogParts {
  V m, e;
};
template <class V>
VOXGRAD_INLINE V log_of_normal(V x) {
  const Bits<V> bits = __builtin_bit_cast(Bits<V>, x), e = (bits - 0x3f3504f3) >> 23;
  const V m = __builtin_bit_cast(V, bits - (e << 23));
  const V s = (m - 1.f) / (m + 1.f), q = s * s;
  V series = q * (1.f / 9) + 1.f / 7;
  series = series * q + 0.2f;
  series = series * q + 1.f / 3;
  series = series * q + 1.f;
  V exponent;
  if constexpr (sizeof(V) == sizeof(float)) exponent = float(e);
  else exponent = __builtin_convertvector(e, V);
  return exponent * 0.69314718f + 2.f * s * series;
}

// The functions that formulas are written with (kernels/pointwise/formulas.h), of f32 as above and of f64 from std::.
namespace math {

#define VOXGRAD_MATH_OF_STD(name) \
  VOXGRAD_INLINE double name(double x) { return std::name(x); }
VOXGRAD_MATH_OF_STD(exp)
VOXGRAD_MATH_OF_STD(expm1)
VOXGRAD_MATH_OF_STD(log)
VOXGRAD_MATH_OF_STD(log1p)
VOXGRAD_MATH_OF_STD(tanh)
VOXGRAD_MATH_OF_STD(erf)
VOXGRAD_MATH_OF_STD(sin)
VOXGRAD_MATH_OF_STD(cos)
#undef VOXGRAD_MATH_OF_STD
VOXGRAD_INLINE double pow(double x, double y) { return std::pow(x, y); }
using std::ceil;
using std::copysign;
using std::fabs;
using std::floor;
using std::rint;
using std::sqrt;

VOXGRAD_INLINE float within(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

VOXGRAD_INLINE float exp(float x) {
  const auto [r, n] = exp_parts(within(x, -104.f, 89.f));
  const int32_t half = n >> 1;  // 2^n is finite in two steps alone
  return (exp_series(r) * r + 1.f) * power_of_two<float>(half) * power_of_two<float>(n - half);
}

VOXGRAD_INLINE float expm1(float x) {
  const auto [r, n] = exp_parts(within(x, -20.f, 89.f));
  const float half = power_of_two<float>(n - 1), p = exp_series(r) * r;  // of 2^n, which is infinite for the largest x
  const float y = 2.f * (half * p + (half - 0.5f));
  return n == 0 ? p : y;
}

VOXGRAD_INLINE float log_of_none(float x) { return x == 0 ? -__builtin_inff() : __builtin_nanf(""); }  // of what is not above 0
VOXGRAD_INLINE float log(float x) {
  constexpr float least = 1.17549435e-38f;  // normal number
  const float normal = x < least ? x * 8388608.f : x, y = log_of_normal(normal) - (x < least ? 15.9423847f : 0.f);
  const float finite = x < __builtin_inff() ? y : x;
  return x > 0 ? finite : log_of_none(x);
}

// By what 1 + x lost: ln(1 + x) x / ((1 + x) - 1).
VOXGRAD_INLINE float log1p(float x) {
  const float w = 1.f + x, y = log_of_normal(w) * (x / (w - 1.f));
  const float finite = w < __builtin_inff() ? y : w, right = w > 0 ? finite : log_of_none(w);
  return w == 1.f ? x : right;
}

VOXGRAD_INLINE float tanh(float x) {
  const float a = __builtin_fabsf(x), t = expm1(2.f * (a > 10.f ? 10.f : a));  // 1 from there on
  return __builtin_copysignf(t / (t + 2.f), x);
}

// To 1 a polynomial of x^2, beyond 1 - e^p(|x|) with p near ln erfc, both fitted by weighted least squares to 1.2e-9 of the result.
VOXGRAD_INLINE float erf(float x) {
  const float s = x * x, a = __builtin_fabsf(x), t = a > 3.95f ? 3.95f : a;
  float near = s * 7.85385345807299e-05f - 0.000801019137725234f;
  near = near * s + 0.00518832728266716f;
  near = near * s - 0.026853810995817184f;
  near = near * s + 0.1128358542919159f;
  near = near * s - 0.3761262595653534f;
  near = near * s + 0.12837916612625122f;
  float far = t * 0.0001863814686657861f - 0.0029476801864802837f;
  far = far * t + 0.021838150918483734f;
  far = far * t - 0.10310693085193634f;
  far = far * t - 0.6381446123123169f;
  far = far * t - 1.127089262008667f;
  far = far * t - 0.0003414943930692971f;
  return a < 1.f ? near * x + x : __builtin_copysignf(1.f - exp(far), x);
}

// log2 x of normal x > 0 to 2e-12 of the result, as log_of_normal in f64.
VOXGRAD_INLINE double log2_of_normal(float x) {
  const int32_t bits = __builtin_bit_cast(int32_t, x), e = (bits - 0x3f3504f3) >> 23;
  const double m = __builtin_bit_cast(float, bits - (e << 23)), s = (m - 1) / (m + 1), q = s * s;
  double series = q * (2.8853900817779268 / 13) + 2.8853900817779268 / 11;  // 2 / ln 2
  series = series * q + 2.8853900817779268 / 9;
  series = series * q + 2.8853900817779268 / 7;
  series = series * q + 2.8853900817779268 / 5;
  series = series * q + 2.8853900817779268 / 3;
  series = series * q + 2.8853900817779268;
  return s * series + double(float(e));
}

// 2^(y log2 |x|), the exponent in f64. Selections by y would be branches where it is the same for all x.
VOXGRAD_INLINE float pow(float x, float y) {
  constexpr float least = 1.17549435e-38f, magic = 12582912.f, infinity = __builtin_inff();
  const float a = __builtin_fabsf(x), normal = a < least ? a * 8388608.f : a;
  const double finite = log2_of_normal(normal) - (a < least ? 23.0 : 0.0), log2 = a < infinity ? finite : double(a);
  const double t = double(y) * (a == 0 ? -__builtin_inf() : log2), low = t < -200 ? -200.0 : t, within = low > 200 ? 200.0 : low;
  const float shifted = float(within) + magic, n = shifted - magic, r = float(within - double(n)) * 0.693147181f;
  const int32_t whole = __builtin_bit_cast(int32_t, shifted) - 0x4b400000, half = whole >> 1;
  const float size = (exp_series(r) * r + 1.f) * power_of_two<float>(half) * power_of_two<float>(whole - half);
  const int32_t bits = __builtin_bit_cast(int32_t, size);
  const int32_t is_one = -(int32_t(x == 1) | int32_t(y == 0) | (int32_t(x == -1) & int32_t(y == y)));
  // Negative x: whole y alone, and odd ones keep the sign. Numbers of 2^24 on are even.
  const float near = __builtin_bit_cast(float, __builtin_bit_cast(int32_t, y) & -int32_t(__builtin_fabsf(y) < 16777216.f));
  const int32_t integer = int32_t(near), is_whole = float(integer) == near, negative = int32_t(x < 0) & int32_t(a < infinity);
  const int32_t sign = __builtin_bit_cast(int32_t, x) & ((integer & is_whole) << 31), nan = 0x7fc00000 & -(negative & ~is_whole);
  return __builtin_bit_cast(float, (((is_one & 0x3f800000) | (~is_one & bits)) ^ sign) | nan);
}

// r + n pi / 2 = x, |r| < 0.86, for |x| up to kWidestAngle: beyond it and for what is not finite sin and cos are wrong.
constexpr float kWidestAngle = 1048576.f;
struct Quarters {
  float r;
  int32_t n;
};
VOXGRAD_INLINE Quarters quarters_of(float x) {
  constexpr float magic = 12582912.f;
  const float shifted = x * 0.636619772f + magic, n = shifted - magic;
  const double r = (double(x) - double(n) * 1.57079632673412561417) - double(n) * 6.07710050650619224932e-11;
  return {float(r), __builtin_bit_cast(int32_t, shifted) - 0x4b400000};
}
// The sine of r + n pi / 2, by Taylor series.
VOXGRAD_INLINE float sine_of(float r, int32_t n) {
  const float s = r * r;
  float sine = s * (1.f / 362880) - 1.f / 5040;
  sine = sine * s + 1.f / 120;
  sine = sine * s - 1.f / 6;
  sine = (sine * s + 1.f) * r;
  float cosine = s * (-1.f / 3628800) + 1.f / 40320;
  cosine = cosine * s - 1.f / 720;
  cosine = cosine * s + 1.f / 24;
  cosine = cosine * s - 0.5f;
  cosine = cosine * s + 1.f;
  return __builtin_bit_cast(float, __builtin_bit_cast(int32_t, (n & 1) != 0 ? cosine : sine) ^ ((n & 2) << 30));
}
VOXGRAD_INLINE float sin(float x) {
  const Quarters q = quarters_of(x);
  return sine_of(q.r, q.n);
}
VOXGRAD_INLINE float cos(float x) {
  const Quarters q = quarters_of(x);
  return sine_of(q.r, q.n + 1);
}

}  // namespace math
