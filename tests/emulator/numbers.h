#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/dtype.h"
#include "tests/emulator/warpgroup.h"

namespace voxgrad::emulator {

// Element `half` of a register; tf32 is read with its 10 bits of mantissa, the others are ignored as the hardware does.
template <Kind kKind>
float element(uint32_t r, int half) {
  if constexpr (kKind == Kind::tf32) return std::bit_cast<float>(r & 0xffffe000u);
  else {
    const uint16_t bits = uint16_t(half ? r >> 16 : r);
    if constexpr (kKind == Kind::bf16) return std::bit_cast<float>(uint32_t(bits) << 16);
    else return detail::float_from_f16(bits);
  }
}

// Tensor cores round their sums towards zero.
inline float truncated(double v) {
  const float f = float(v);
  return std::fabs(double(f)) > std::fabs(v) ? std::nextafter(f, 0.f) : f;
}

}  // namespace voxgrad::emulator
