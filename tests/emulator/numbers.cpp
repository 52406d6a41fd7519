#include "tests/emulator/numbers.h"

namespace voxgrad::emulator {
namespace {

using Doubles [[gnu::vector_size(32), gnu::aligned(8), gnu::may_alias]] = double;
using Floats [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;
using Longs [[gnu::vector_size(32)]] = int64_t;
using Ints [[gnu::vector_size(16)]] = int32_t;

// The memory is the emulator's own, whose size its callers know: not watched.
#define VOXGRAD_UNWATCHED gnu::no_sanitize("address")

[[gnu::always_inline, VOXGRAD_UNWATCHED]] inline Doubles magnitude(Doubles v) { return Doubles(Longs(v) & INT64_MAX); }

// truncated() of four.
[[gnu::always_inline, VOXGRAD_UNWATCHED]] inline Floats truncated(Doubles v) {
  const Floats f = __builtin_convertvector(v, Floats);
  const Longs larger = magnitude(__builtin_convertvector(f, Doubles)) > magnitude(v);  // -1 where it is
  return Floats(Ints(f) + __builtin_convertvector(larger, Ints));
}

[[gnu::always_inline, VOXGRAD_UNWATCHED]] inline void add(const double* a, const double* b, int depth, int columns, float* sums) {
  for (int c = 0; c < columns; c += 8) {
    Floats* const into = reinterpret_cast<Floats*>(sums + c);
    Doubles first = __builtin_convertvector(into[0], Doubles), second = __builtin_convertvector(into[1], Doubles);
    for (int k = 0; k < depth; ++k) {
      const Doubles* const v = reinterpret_cast<const Doubles*>(b + k * columns + c);
      first += a[k] * v[0];
      second += a[k] * v[1];
    }
    into[0] = truncated(first), into[1] = truncated(second);
  }
}

[[gnu::target("avx2"), VOXGRAD_UNWATCHED]] void add_by_avx2(const double* a, const double* b, int depth, int columns, float* sums) {
  add(a, b, depth, columns, sums);
}
[[VOXGRAD_UNWATCHED]] void add_by_baseline(const double* a, const double* b, int depth, int columns, float* sums) {
  add(a, b, depth, columns, sums);
}

}  // namespace

void add_products(const double* a, const double* b, int depth, int columns, float* sums) {
  static const auto how = __builtin_cpu_supports("avx2") ? add_by_avx2 : add_by_baseline;
  how(a, b, depth, columns, sums);
}

}  // namespace voxgrad::emulator
