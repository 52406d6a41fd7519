// Included inside a namespace per instruction set, after augment/intensity_kernels.h.

constexpr int kLanes = 16;

ChunkStats stats(const float* x, int64_t n, float offset) {
  double sum[kLanes] = {}, squares[kLanes] = {};
  float low[kLanes], high[kLanes];
  for (int l = 0; l < kLanes; ++l) low[l] = high[l] = x[0];
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int l = 0; l < kLanes; ++l) {
      const float v = x[i + l];
      const double c = double(v - offset);
      sum[l] += c;
      squares[l] += c * c;
      low[l] = v < low[l] ? v : low[l];
      high[l] = v > high[l] ? v : high[l];
    }
  for (int64_t i = whole; i < n; ++i) {
    const double c = double(x[i] - offset);
    sum[0] += c;
    squares[0] += c * c;
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  ChunkStats s{.low = low[0], .high = high[0]};
  for (int l = 0; l < kLanes; ++l) {
    s.sum += sum[l];
    s.sum_of_squares += squares[l];
    s.low = low[l] < s.low ? low[l] : s.low;
    s.high = high[l] > s.high ? high[l] : s.high;
  }
  return s;
}

void affine(float* x, int64_t n, float centre, float scale, float shift, float low, float high) {
  for (int64_t i = 0; i < n; ++i) {
    const float v = (x[i] - centre) * scale + shift;
    x[i] = v < low ? low : v > high ? high : v;
  }
}

// t^gamma for 0 <= t <= 1 within 3e-7 (absolute) for gamma in [0.1, 10]: exp2(gamma log2 t), both by series. 0^gamma = 0.
inline float power(float t, float gamma) {
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

void gamma(float* x, int64_t n, float sign, float low, float range, float gamma) {
  const float inverse = 1.f / range;
  for (int64_t i = 0; i < n; ++i) {
    const float t = (sign * x[i] - low) * inverse;
    x[i] = power(t < 0 ? 0.f : t, gamma) * range + low;
  }
}

void weighted_rows(const float* const* rows, const float* weights, int taps, float* out, int64_t n) {
  constexpr int64_t kTile = 1024;
  for (int64_t from = 0; from < n; from += kTile) {
    const int64_t count = n - from < kTile ? n - from : kTile;
    float* y = out + from;
    const float* x = rows[0] + from;
    for (int64_t i = 0; i < count; ++i) y[i] = weights[0] * x[i];
    int k = 1;
    for (; k + 1 < taps; k += 2) {
      const float *a = rows[k] + from, *b = rows[k + 1] + from;
      const float wa = weights[k], wb = weights[k + 1];
      for (int64_t i = 0; i < count; ++i) y[i] += wa * a[i] + wb * b[i];
    }
    if (k < taps) {
      const float* a = rows[k] + from;
      for (int64_t i = 0; i < count; ++i) y[i] += weights[k] * a[i];
    }
  }
}

const IntensityKernels kIntensity = {stats, affine, gamma, weighted_rows};
