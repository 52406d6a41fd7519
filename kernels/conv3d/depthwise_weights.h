// Sums of depthwise weight gradients. Included inside the namespace of one instruction set.

// Rows of taps that share a pass over a row of gradients, and the voxels of it that are held in registers.
#if defined(__AVX512F__)
template <int K>
constexpr int kTapRows = 3;
template <int K>
constexpr int kGradients = K < 7 ? 8 : 6;
#else
template <int K>
constexpr int kTapRows = K == 3 ? 2 : 1;
template <int K>
constexpr int kGradients = K < 7 ? 6 : 4;
#endif

// x[i]: input row of row i of the taps, or null where it lies outside; sum: of the first row of taps.
template <class T, int K>
VOXGRAD_INLINE void add_tap_rows(const DepthwiseShape& g, const T* const* x, const T* gy, accum_t<T>* sum) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>, R = kTapRows<K>, V = kGradients<K>;
  const int64_t step = g.channels;
  Vector<A> total[R][K] = {};
  const auto block = [&](int64_t first, auto edge) __attribute__((always_inline)) {
    constexpr bool Edge = decltype(edge)::value;
    const int64_t left = first + g.low_width;
    Vector<A> gradient[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) gradient[v] = !Edge || first + v < g.width ? load(gy + (first + v) * step) : Vector<A>{};
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      if (!x[r]) continue;
      const T* from = x[r] + left * step;
#pragma GCC unroll 16
      for (int j = 0; j < V + K - 1; ++j, from += step) {
        if (Edge && (left + j < 0 || left + j >= g.in_width)) continue;
        const Vector<A> input = load(from);
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s)
          if (j - s >= 0 && j - s < V) total[r][s] += input * gradient[j - s];
      }
    }
  };
  for (int64_t first = 0; first < g.width; first += V) {
    const int64_t left = first + g.low_width;
    if (left < 0 || left + V + K - 1 > g.in_width || first + V > g.width) block(first, std::true_type{});
    else block(first, std::false_type{});
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s)
      if (x[r]) store(sum + (r * K + s) * L, load(sum + (r * K + s) * L) + total[r][s]);
}

template <class T, int K>
void depthwise_weights_width(const DepthwiseWeights<T>& d) {
  constexpr int L = kLanes<accum_t<T>>, R = kTapRows<K>;
  const DepthwiseShape& g = *d.shape;
  for (int64_t vector = d.first_vector; vector < d.last_vector; ++vector) {
    const int64_t channel = channel_of<T>(g, vector);
    for (int64_t p = 0; p < d.plane_count; ++p)
      for (int64_t row = d.first_row; row < d.last_row; ++row)
        for (int64_t t = 0; t < g.kernel_height; t += R) {
          const T* x[R];
          for (int64_t i = 0; i < R; ++i) {
            const int64_t in = row + g.low_height + t + i;
            x[i] = t + i < g.kernel_height && in >= 0 && in < g.in_height ? d.planes[p].x + in * g.in_width * g.channels + channel : nullptr;
          }
          add_tap_rows<T, K>(g, x, d.gy + row * g.width * g.channels + channel, d.sum + (vector * g.taps + d.planes[p].tap + t * K) * L);
        }
  }
}

template <class T>
void depthwise_weights(const DepthwiseWeights<T>& d) {
  if (d.shape->kernel_width == 3) depthwise_weights_width<T, 3>(d);
  else if (d.shape->kernel_width == 5) depthwise_weights_width<T, 5>(d);
  else depthwise_weights_width<T, 7>(d);
}
