// Included inside a namespace per instruction set, and by the CUDA kernels.

// t^gamma for 0 <= t <= 1 within 3e-7 (absolute) for gamma in [0.1, 10]: exp2(gamma log2 t), both by series. 0^gamma = 0.
VOXGRAD_HD inline float power(float t, float gamma) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, t);
  // t = m 2^e with m in [sqrt(1/2), sqrt(2)).
  const uint32_t shifted = bits - 0x3f3504f3u;
  const int e = int(shifted) >> 23;
  const float m = __builtin_bit_cast(float, (shifted & 0x7fffffu) + 0x3f3504f3u);
  // ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716: the next term is below 1e-9.
  const float s = (m - 1.f) / (m + 1.f), s2 = s * s;
  const float log2_m = s * (2.88539008f + s2 * (0.961796694f + s2 * (0.577078016f + s2 * (0.412198583f + s2 * 0.320598898f))));
  float y = gamma * (float(e) + log2_m);
  y = y < -126.f ? -126.f : y;
  // 2^y = 2^k e^(f ln 2), |f| <= 1/2.
  const float k = (y + 12582912.f) - 12582912.f;
  const float f = y - k;
  const float r = 1.f + f * (0.693147181f +
                             f * (0.240226507f + f * (0.0555041087f + f * (0.00961812911f + f * (0.00133335581f + f * 1.54035304e-4f)))));
  const float scale = __builtin_bit_cast(float, uint32_t(int(k) + 127) << 23);
  return t > 0 ? r * scale : 0.f;
}

// low + range ((sign x - low) / range)^gamma
VOXGRAD_HD inline float gamma_of(float x, float sign, float low, float range, float gamma) {
  const float t = (sign * x - low) * (1.f / range);
  return power(t < 0 ? 0.f : t, gamma) * range + low;
}
