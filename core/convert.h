#pragma once
#include "core/dtype.h"
#ifndef __CUDACC__
#include <cmath>
#endif

namespace voxgrad {

namespace detail {
template <class T>
inline constexpr double lowest_of = 0;  // of u8
template <>
inline constexpr double lowest_of<int16_t> = -32768;
template <>
inline constexpr double lowest_of<int32_t> = -2147483648.0;
template <>
inline constexpr double lowest_of<int64_t> = -0x1p63;
template <class T>
inline constexpr double highest_of = 255;
template <>
inline constexpr double highest_of<int16_t> = 32767;
template <>
inline constexpr double highest_of<int32_t> = 2147483647;
template <>
inline constexpr double highest_of<int64_t> = 0x1p63;  // the next after the largest, which f64 does not hold
template <class T>
inline constexpr bool is_integer = false;
template <>
inline constexpr bool is_integer<uint8_t> = true;
template <>
inline constexpr bool is_integer<int16_t> = true;
template <>
inline constexpr bool is_integer<int32_t> = true;
template <>
inline constexpr bool is_integer<int64_t> = true;
template <class A, class B>
inline constexpr bool is_same = false;
template <class A>
inline constexpr bool is_same<A, A> = true;
}  // namespace detail

// v as another element type: to an integer, rounded to the nearest (ties to even), saturated, 0 for NaN.
template <class To, class From>
VOXGRAD_HD To converted(From v) {
  if constexpr (detail::is_same<To, From>) return v;
  else if constexpr (detail::is_integer<To>) {
    const double d = rint(double(v));
    if (!(d == d)) return 0;
    constexpr double low = detail::lowest_of<To>, high = detail::highest_of<To>;
    if constexpr (detail::is_same<To, int64_t>)
      if (d >= high) return INT64_MAX;
    return To(d < low ? low : d > high ? high : d);
  } else if constexpr (detail::is_same<To, double>) return double(v);
  else return To(float(v));
}

}  // namespace voxgrad
