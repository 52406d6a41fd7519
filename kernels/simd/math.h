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
#undef VOXGRAD_MATH_OF_STD
using std::ceil;
using std::copysign;
using std::cos;
using std::fabs;
using std::floor;
using std::pow;
using std::rint;
using std::sin;
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

}  // namespace math
