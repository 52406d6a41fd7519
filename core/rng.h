#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// Philox 4x32-10: the same 128 random bits for (key, counter) on every device.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
struct Random128 {
  uint32_t word[4];
};
VOXGRAD_HD inline Random128 philox(uint64_t key, uint64_t counter_low, uint64_t counter_high = 0) {
  uint32_t c0 = uint32_t(counter_low), c1 = uint32_t(counter_low >> 32), c2 = uint32_t(counter_high), c3 = uint32_t(counter_high >> 32);
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
    c0 = uint32_t(b >> 32) ^ c1 ^ k0;
    c2 = uint32_t(a >> 32) ^ c3 ^ k1;
    c1 = uint32_t(b);
    c3 = uint32_t(a);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// Uniform in [0, 1) with 24 bits, exact in f32.
VOXGRAD_HD inline float uniform_of(uint32_t bits) { return float(bits >> 8) * 0x1p-24f; }

// A standard normal from two words (Box and Muller 1958). Uses only + - * / and square root, which every device rounds alike (keep
// contraction to fma off), so that the bits are the same everywhere. |result| < 5.9.
VOXGRAD_HD inline float normal_of(uint32_t bits0, uint32_t bits1) {
  // ln u for u = (bits0 + 1) 2^-24 in (0, 1]: u = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 atanh((m - 1) / (m + 1)).
  const float u = float((bits0 >> 8) + 1) * 0x1p-24f;
  uint32_t b = __builtin_bit_cast(uint32_t, u);
  int e = int(b >> 23) - 126;
  float m = __builtin_bit_cast(float, (b & 0x7fffffu) | 0x3f000000u);
  if (m < 0.70710678f) m = m * 2.f, e -= 1;
  const float s = (m - 1.f) / (m + 1.f), s2 = s * s;
  const float ln = float(e) * 0.69314718f + 2.f * s * (1.f + s2 * (0.33333333f + s2 * (0.2f + s2 * (0.14285715f + s2 * 0.11111111f))));
  // cos(2 pi v) for v = bits1 2^-24: v is folded to |t| <= 1/8 turn, then a series of cos or sin.
  const uint32_t v = bits1 >> 8, quadrant = (v + 0x200000u) >> 22 & 3u;
  const float t = (float(int32_t(v) - int32_t(((v + 0x200000u) >> 22) << 22)) * 0x1p-24f) * 6.2831853f, t2 = t * t;
  const float c = 1.f + t2 * (-0.5f + t2 * (0.041666667f + t2 * (-0.0013888889f + t2 * 2.4801587e-5f)));
  const float d = t * (1.f + t2 * (-0.16666667f + t2 * (0.0083333333f + t2 * -1.9841270e-4f)));
  const float cosine = quadrant == 0 ? c : quadrant == 1 ? -d : quadrant == 2 ? -c : d;
  const float radius2 = -2.f * ln;
  return __builtin_sqrtf(radius2 > 0.f ? radius2 : 0.f) * cosine;
}

// A source of randomness as a value: copying it repeats it, nothing is global. `at` names an independent source by numbers, so that
// sample 17 of epoch 3 is the same whichever thread makes it, after any resume.
class Rng {
 public:
  explicit Rng(uint64_t seed = 0) : key_(seed) {}

  // The source named (a, b) below this one; this one does not change.
  Rng at(uint64_t a, uint64_t b = 0) const {
    const Random128 r = philox(key_ ^ 0x5851F42D4C957F2Dull, a, b ^ 0x9E3779B97F4A7C15ull);
    return Rng(uint64_t(r.word[0]) << 32 | r.word[1]);
  }
  // A new independent source; this one moves on.
  Rng split() {
    const uint64_t high = next();
    return Rng(high << 32 | next());
  }

  uint32_t next() { return philox(key_, counter_++).word[0]; }
  double uniform() { return next() * 0x1p-32; }                                       // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }  // [low, high)
  bool coin(double probability) { return uniform() < probability; }
  int64_t below(int64_t n) {  // uniform in [0, n)
    const uint64_t high = next(), bits = high << 32 | next();
    return int64_t(static_cast<unsigned __int128>(bits) * static_cast<unsigned __int128>(n) >> 64);
  }
  double normal() {
    const uint32_t a = next();
    return normal_of(a, next());
  }

  // For bulk use, on any device: element i draws from philox(key(), i).
  uint64_t key() const { return key_; }
  uint64_t counter() const { return counter_; }

 private:
  uint64_t key_, counter_ = 0;
};

}  // namespace voxgrad
