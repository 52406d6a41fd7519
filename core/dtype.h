#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

#ifdef __CUDACC__
#define VOXGRAD_HD __host__ __device__
#else
#define VOXGRAD_HD
#endif

namespace voxgrad {

// Element types. f64 exists on the CPU only, for gradient checks. u8, i16, i32 and i64 hold labels, raw images and indices and carry no
// gradient.
enum class DType : uint8_t { f32, f64, bf16, f16, u8, i16, i32, i64 };

namespace detail {
// Round to nearest even; NaN stays NaN.
VOXGRAD_HD inline uint16_t bf16_from_float(float v) {
#ifdef __CUDA_ARCH__
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(v));
  return bits;
#else
  const uint32_t u = __builtin_bit_cast(uint32_t, v);
  if ((u & 0x7fffffffu) > 0x7f800000u) return uint16_t((u >> 16) | 0x40);
  return uint16_t((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
#endif
}
// IEEE binary16, round to nearest even, overflow to infinity, subnormals kept.
VOXGRAD_HD inline uint16_t f16_from_float(float v) {
#ifdef __CUDA_ARCH__
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(v));
  return bits;
#else
  const uint32_t u = __builtin_bit_cast(uint32_t, v), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  if (a >= 0x7f800000u) return uint16_t(sign | (a > 0x7f800000u ? 0x7e00u : 0x7c00u));
  if (a >= 0x477ff000u) return uint16_t(sign | 0x7c00u);
  if (a < 0x38800000u) {  // below 2^-14: adding 0.5 aligns the mantissa to the subnormal grid and rounds
    const float f = __builtin_bit_cast(float, a) + 0.5f;
    return uint16_t(sign | (__builtin_bit_cast(uint32_t, f) - 0x3f000000u));
  }
  return uint16_t(sign | ((a + 0xc8000fffu + ((a >> 13) & 1)) >> 13));
#endif
}
VOXGRAD_HD inline float float_from_f16(uint16_t h) {
#ifdef __CUDA_ARCH__
  float v;
  asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(h));
  return v;
#else
  const uint32_t sign = uint32_t(h & 0x8000u) << 16, e = (h >> 10) & 31u, m = h & 0x3ffu;
  if (e == 31) return __builtin_bit_cast(float, sign | 0x7f800000u | (m << 13));
  if (e == 0) {
    const float f = float(m) * 0x1p-24f;
    return sign ? -f : f;
  }
  return __builtin_bit_cast(float, sign | ((e + 112u) << 23) | (m << 13));
#endif
}
}  // namespace detail

struct bf16 {
  uint16_t bits;
  bf16() = default;
  VOXGRAD_HD explicit bf16(float v) : bits(detail::bf16_from_float(v)) {}
  VOXGRAD_HD operator float() const { return __builtin_bit_cast(float, uint32_t(bits) << 16); }
};

struct f16 {
  uint16_t bits;
  f16() = default;
  VOXGRAD_HD explicit f16(float v) : bits(detail::f16_from_float(v)) {}
  VOXGRAD_HD operator float() const { return detail::float_from_f16(bits); }
};

// The type a kernel computes in: load T, compute accum_t<T>, store T. Also the type of parameters, statistics and losses beside activations
// of T.
template <class T>
struct AccumOf {
  using type = float;
};
template <>
struct AccumOf<double> {
  using type = double;
};
template <class T>
using accum_t = typename AccumOf<T>::type;

template <class T>
inline constexpr DType dtype_of = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<bf16> = DType::bf16;
template <>
inline constexpr DType dtype_of<f16> = DType::f16;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::u8;
template <>
inline constexpr DType dtype_of<int16_t> = DType::i16;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;

constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16:
    case DType::f16:
    case DType::i16: return 2;
    default: return 1;
  }
}
constexpr bool is_floating(DType t) { return t <= DType::f16; }
// The dtype of parameters, statistics and losses beside activations of dtype t.
constexpr DType accum_of(DType t) { return t == DType::f64 ? DType::f64 : DType::f32; }
// Spacing of numbers at 1.
constexpr double epsilon_of(DType t) {
  return t == DType::f64 ? 0x1p-52 : t == DType::f32 ? 0x1p-23 : t == DType::bf16 ? 0x1p-7 : t == DType::f16 ? 0x1p-10 : 1;
}
constexpr const char* name_of(DType t) {
  constexpr const char* names[] = {"f32", "f64", "bf16", "f16", "u8", "i16", "i32", "i64"};
  return names[int(t)];
}

[[noreturn]] void not_a_floating_dtype(DType);

// Calls f.operator()<T>() with the C++ type of a floating `t`.
template <class F>
decltype(auto) on_dtype(DType t, F&& f) {
  switch (t) {
#if !defined(__CUDACC__) && !defined(VOXGRAD_EMULATED_DEVICE)
    case DType::f64: return f.template operator()<double>();
#endif
    case DType::bf16: return f.template operator()<bf16>();
    case DType::f16: return f.template operator()<f16>();
    case DType::f32: return f.template operator()<float>();
    default: not_a_floating_dtype(t);
  }
}

// The same over every dtype, labels included.
template <class F>
decltype(auto) on_any_dtype(DType t, F&& f) {
  switch (t) {
    case DType::u8: return f.template operator()<uint8_t>();
    case DType::i16: return f.template operator()<int16_t>();
    case DType::i32: return f.template operator()<int32_t>();
    case DType::i64: return f.template operator()<int64_t>();
    default: return on_dtype(t, std::forward<F>(f));
  }
}

// For kernels that move elements without reading them: an unsigned integer of the element's size.
template <class F>
decltype(auto) on_element_size(DType t, F&& f) {
  switch (size_of(t)) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    default: return f.template operator()<uint64_t>();
  }
}

}  // namespace voxgrad
