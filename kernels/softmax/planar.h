// Per-voxel arithmetic over few interleaved channels: a block of voxels is transposed to planes, one per channel, and vectors run along the
// voxels. Included inside the namespace of one instruction set, after kernels/simd/math.h.

// e^x for x <= 88; 0 below -87.
VOXGRAD_INLINE Vector<float> exp_of(Vector<float> x) {
  const ExpParts<Vector<float>> p = exp_parts(x);
  const Vector<float> value = (exp_series(p.r) * p.r + 1.f) * power_of_two<Vector<float>>(p.n);
  // A NaN is neither below nor above, and stays.
  return x < -87.f ? Vector<float>{} : x == x ? value : x;
}
VOXGRAD_INLINE Vector<double> exp_of(Vector<double> x) {
  for (int i = 0; i < kLanes<double>; ++i) x[i] = __builtin_exp(x[i]);
  return x;
}

// ln x for normal x > 0.
VOXGRAD_INLINE Vector<float> log_of(Vector<float> x) { return x == x ? log_of_normal(x) : x; }
VOXGRAD_INLINE Vector<double> log_of(Vector<double> x) {
  for (int i = 0; i < kLanes<double>; ++i) x[i] = __builtin_log(x[i]);
  return x;
}

template <class A>
VOXGRAD_INLINE Vector<A> larger(Vector<A> a, Vector<A> b) {
  return b > a || b != b ? b : a;
}

// Planes of `width` voxels (a multiple of 16) from `voxels` <= width interleaved ones; the rest of the planes is 0.
template <class A, class Channels>
VOXGRAD_INLINE void transpose_in(const A* __restrict from, int64_t voxels, Channels channels, int64_t width, A* __restrict planes) {
  for (int64_t v = 0; v < voxels; ++v)
    for (int64_t k = 0; k < channels; ++k) planes[k * width + v] = from[v * channels + k];
  for (int64_t k = 0; k < channels; ++k)
    for (int64_t v = voxels; v < width; ++v) planes[k * width + v] = 0;
}
template <class A, class Channels>
VOXGRAD_INLINE void transpose_out(const A* __restrict planes, int64_t voxels, Channels channels, int64_t width, A* __restrict to) {
  for (int64_t v = 0; v < voxels; ++v)
    for (int64_t k = 0; k < channels; ++k) to[v * channels + k] = planes[k * width + v];
}

// The same for any number of channels from 4 on: 4 x 4 blocks in registers, the last one overlapping the one before it.
typedef float Quad __attribute__((vector_size(16)));
struct Quads {
  Quad row[4];
  VOXGRAD_INLINE Quads(const float* from, int64_t stride) {
    for (int i = 0; i < 4; ++i) __builtin_memcpy(&row[i], from + i * stride, sizeof(Quad));
    typedef int32_t Order __attribute__((vector_size(16)));
    const Order low = {0, 4, 1, 5}, high = {2, 6, 3, 7}, first = {0, 1, 4, 5}, second = {2, 3, 6, 7};
    const Quad a = __builtin_shuffle(row[0], row[1], low), b = __builtin_shuffle(row[2], row[3], low);
    const Quad c = __builtin_shuffle(row[0], row[1], high), d = __builtin_shuffle(row[2], row[3], high);
    row[0] = __builtin_shuffle(a, b, first), row[1] = __builtin_shuffle(a, b, second);
    row[2] = __builtin_shuffle(c, d, first), row[3] = __builtin_shuffle(c, d, second);
  }
  VOXGRAD_INLINE void store(float* to, int64_t stride) const {
    for (int i = 0; i < 4; ++i) __builtin_memcpy(to + i * stride, &row[i], sizeof(Quad));
  }
};
template <class F>
VOXGRAD_INLINE void over_quads(int64_t voxels, int64_t channels, F&& f) {
  for (int64_t v = 0; v + 4 <= voxels; v += 4)
    for (int64_t k = 0; k < channels; k += 4) f(v, k + 4 <= channels ? k : channels - 4);
}
VOXGRAD_INLINE void transpose_in(const float* __restrict from, int64_t voxels, int64_t channels, int64_t width, float* __restrict planes) {
  over_quads(voxels, channels,
             [&](int64_t v, int64_t k) { Quads(from + v * channels + k, channels).store(planes + k * width + v, width); });
  for (int64_t k = 0; k < channels; ++k) {
    for (int64_t v = voxels / 4 * 4; v < voxels; ++v) planes[k * width + v] = from[v * channels + k];
    for (int64_t v = voxels; v < width; ++v) planes[k * width + v] = 0;
  }
}
VOXGRAD_INLINE void transpose_out(const float* __restrict planes, int64_t voxels, int64_t channels, int64_t width, float* __restrict to) {
  over_quads(voxels, channels, [&](int64_t v, int64_t k) { Quads(planes + k * width + v, width).store(to + v * channels + k, channels); });
  for (int64_t v = voxels / 4 * 4; v < voxels; ++v)
    for (int64_t k = 0; k < channels; ++k) to[v * channels + k] = planes[k * width + v];
}

// f(channels) with the small numbers as compile-time constants.
template <class F>
VOXGRAD_INLINE void on_channels(int64_t channels, F&& f) {
  switch (channels) {
    case 1: return f(std::integral_constant<int64_t, 1>{});
    case 2: return f(std::integral_constant<int64_t, 2>{});
    case 3: return f(std::integral_constant<int64_t, 3>{});
    case 4: return f(std::integral_constant<int64_t, 4>{});
    default: return f(channels);
  }
}

// staging: width * channels elements, for the half types.
template <class T>
void load_planes(const T* from, int64_t voxels, int64_t channels, int64_t width, accum_t<T>* planes, accum_t<T>* staging) {
  using A = accum_t<T>;
  const A* source;
  if constexpr (sizeof(T) == sizeof(A)) source = from;
  else {
    for_lanes<A>(voxels * channels, [&](int64_t i, auto n) { store(staging + i, load(from + i, n), n); });
    source = staging;
  }
  on_channels(channels, [&](auto c) { transpose_in(source, voxels, c, width, planes); });
}
template <class T>
void store_planes(const accum_t<T>* planes, int64_t voxels, int64_t channels, int64_t width, T* to, accum_t<T>* staging) {
  using A = accum_t<T>;
  if constexpr (sizeof(T) == sizeof(A)) {
    on_channels(channels, [&](auto c) { transpose_out(planes, voxels, c, width, to); });
  } else {
    on_channels(channels, [&](auto c) { transpose_out(planes, voxels, c, width, staging); });
    for_lanes<A>(voxels * channels, [&](int64_t i, auto n) { store(to + i, load(staging + i, n), n); });
  }
}
