// Included inside a namespace per instruction set, after augment/intensity/intensity_kernels.h.

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

const IntensityKernels kIntensity = {stats, affine, weighted_rows};
