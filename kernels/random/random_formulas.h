#pragma once
#include "core/rng.h"
#include "kernels/random/random_kernels.h"

namespace voxgrad {

// u in [0, 1) of as many leading bits of the words as T holds.
template <class T>
VOXGRAD_HD accum_t<T> unit_of(const Random128& r) {
  if constexpr (sizeof(T) == 8) return (accum_t<T>(r.word[0] >> 5) * 67108864 + accum_t<T>(r.word[1] >> 6)) * accum_t<T>(0x1p-53);
  else if constexpr (sizeof(T) == 4) return uniform_of(r.word[0]);
  else if constexpr (dtype_of<T> == DType::bf16) return float(r.word[0] >> 24) * 0x1p-8f;
  else return float(r.word[0] >> 21) * 0x1p-11f;
}

template <class T>
VOXGRAD_HD T random_element(const RandomFill& f, int64_t i, const T* p) {
  using A = accum_t<T>;
  const Random128 r = philox(f.key, uint64_t(i), f.stream);
  if (f.kind == RandomKind::uniform) return T(A(f.a) + A(f.b - f.a) * unit_of<T>(r));
  if (f.kind == RandomKind::normal) return T(A(f.a) + A(f.b) * A(normal_of(r.word[0], r.word[1])));
  return T(double(r.word[0]) * 0x1p-32 < (p ? double(A(p[i])) : f.b) ? A(1) : A(0));
}

// The upper half of the product of two numbers of 64 bits.
VOXGRAD_HD inline uint64_t upper_product(uint64_t a, uint64_t b) {
  const uint64_t a0 = uint32_t(a), a1 = a >> 32, b0 = uint32_t(b), b1 = b >> 32;
  const uint64_t p01 = a0 * b1, p10 = a1 * b0, middle = (a0 * b0 >> 32) + uint32_t(p01) + uint32_t(p10);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

VOXGRAD_HD inline int64_t random_integer(const RandomIntegers& f, int64_t i) {
  const Random128 r = philox(f.key, uint64_t(i), f.stream);
  const uint64_t bits = uint64_t(r.word[0]) << 32 | r.word[1];
  return int64_t(uint64_t(f.low) + (f.range == 0 ? bits : upper_product(bits, f.range)));
}

}  // namespace voxgrad
