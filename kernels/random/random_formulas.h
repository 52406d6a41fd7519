#pragma once
#include "core/rng.h"
#include "kernels/random/random_kernels.h"

namespace voxgrad {

// u in [0, 1) of as many leading bits of the words as T holds.
template <class T>
VOXGRAD_HD accum_t<T> unit_of(uint32_t word0, uint32_t word1) {
  if constexpr (sizeof(T) == 8) return (accum_t<T>(word0 >> 5) * 67108864 + accum_t<T>(word1 >> 6)) * accum_t<T>(0x1p-53);
  else if constexpr (sizeof(T) == 4) return uniform_of(word0);
  else if constexpr (dtype_of<T> == DType::bf16) return float(word0 >> 24) * 0x1p-8f;
  else return float(word0 >> 21) * 0x1p-11f;
}
// The elements of a RandomFill.
template <class T>
VOXGRAD_HD T uniform_element(const RandomFill& f, uint32_t word0, uint32_t word1) {
  using A = accum_t<T>;
  return T(A(f.a) + A(f.b - f.a) * unit_of<T>(word0, word1));
}
template <class T>
VOXGRAD_HD T normal_element(const RandomFill& f, float z) {
  using A = accum_t<T>;
  return T(A(f.a) + A(f.b) * A(z));
}
template <class T>
VOXGRAD_HD T bernoulli_element(uint32_t word0, double p) {
  return T(double(word0) * 0x1p-32 < p ? accum_t<T>(1) : accum_t<T>(0));
}

template <class T>
VOXGRAD_HD T random_element(const RandomFill& f, int64_t i, const T* p) {
  using A = accum_t<T>;
  const Random128 r = philox(f.key, uint64_t(i), f.stream);
  if (f.kind == RandomKind::uniform) return uniform_element<T>(f, r.word[0], r.word[1]);
  if (f.kind == RandomKind::normal) return normal_element<T>(f, normal_of(r.word[0], r.word[1]));
  return bernoulli_element<T>(r.word[0], p ? double(A(p[i])) : f.b);
}

// The upper half of the product of two numbers of 64 bits.
VOXGRAD_HD inline uint64_t upper_product(uint64_t a, uint64_t b) {
  const uint64_t a0 = uint32_t(a), a1 = a >> 32, b0 = uint32_t(b), b1 = b >> 32;
  const uint64_t p01 = a0 * b1, p10 = a1 * b0, middle = (a0 * b0 >> 32) + uint32_t(p01) + uint32_t(p10);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

VOXGRAD_HD inline int64_t integer_element(const RandomIntegers& f, uint32_t word0, uint32_t word1) {
  const uint64_t bits = uint64_t(word0) << 32 | word1;
  return int64_t(uint64_t(f.low) + (f.range == 0 ? bits : upper_product(bits, f.range)));
}
VOXGRAD_HD inline int64_t random_integer(const RandomIntegers& f, int64_t i) {
  const Random128 r = philox(f.key, uint64_t(i), f.stream);
  return integer_element(f, r.word[0], r.word[1]);
}

}  // namespace voxgrad
