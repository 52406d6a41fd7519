#pragma once
#include <bit>
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

// sums {columns} += a {depth} b {depth, columns}, columns in eights: in f64 and in the order of depth, and then rounded towards zero as
// tensor cores do.
void add_products(const double* a, const double* b, int depth, int columns, float* sums);

}  // namespace voxgrad::emulator
