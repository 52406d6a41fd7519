// Inner loops of depthwise convolutions. A vector of inputs is loaded once for all outputs of a few neighbouring rows and voxels that it
// contributes to, whose sums are registers, as are the weights of these rows of taps. Included inside the namespace of one instruction set.

#if defined(__AVX512F__)
constexpr int kDown = 2;  // rows of outputs
template <int K>
constexpr int kAcross = K < 7 ? 8 : 6;  // voxels of a row
#else
constexpr int kDown = 1;
template <int K>
constexpr int kAcross = K < 7 ? 8 : 6;
#endif

template <class T>
VOXGRAD_INLINE int64_t channel_of(const DepthwiseShape& g, int64_t vector) {
  constexpr int L = kLanes<accum_t<T>>;
  return vector * L + L <= g.channels ? vector * L : g.channels - L;
}

// Sums of a block: R rows of V voxels of one vector of channels.
template <class A, int R, int V>
struct DepthwiseSums {
  Vector<A> at[R][V];
};

// Adds a row of inputs, from voxel `left` of x on, to rows [From, To) of the block. w: the row of taps for row From; row From + 1 takes the
// one before. Edge: inputs outside [0, in_width) are zeros.
template <class T, int K, bool Edge, int From, int To, int R, int V>
VOXGRAD_INLINE void add_row(DepthwiseSums<accum_t<T>, R, V>& sum, const T* x, int64_t step, int64_t left, int64_t in_width,
                            const accum_t<T>* w) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>;
  Vector<A> weight[R][K];
#pragma GCC unroll 2
  for (int o = From; o < To; ++o)
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s) weight[o][s] = load(w + (s - (o - From) * K) * L);
  x += left * step;
#pragma GCC unroll 16
  for (int j = 0; j < V + K - 1; ++j, x += step) {
    if (Edge && (left + j < 0 || left + j >= in_width)) continue;
    const Vector<A> input = load(x);
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s)
#pragma GCC unroll 2
      for (int o = From; o < To; ++o)
        if (j - s >= 0 && j - s < V) sum.at[o][j - s] += input * weight[o][s];
  }
}

template <class T, int K, int R, bool Edge>
void depthwise_block(const DepthwiseRows<T>& r, int64_t vector, int64_t row, int64_t first) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>, V = kAcross<K>;
  const DepthwiseShape& g = *r.shape;
  const int64_t step = g.channels, channel = channel_of<T>(g, vector), left = first + g.low_width, top = row + g.low_height;
  DepthwiseSums<A, R, V> sum;
#pragma GCC unroll 2
  for (int o = 0; o < R; ++o)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum.at[o][v] = load(r.bias + vector * L);
  const int64_t from = top < 0 ? -top : 0, rows = g.kernel_height + R - 1, to = top + rows > g.in_height ? g.in_height - top : rows;
  for (int64_t p = 0; p < r.plane_count; ++p) {
    const A* w = r.w + (vector * g.taps + r.planes[p].tap) * L;
    for (int64_t i = from; i < to; ++i) {
      const T* x = r.planes[p].x + (top + i) * g.in_width * step + channel;
      const A* taps = w + i * K * L;
      if constexpr (R == 1) add_row<T, K, Edge, 0, 1>(sum, x, step, left, g.in_width, taps);
      else if (i == 0) add_row<T, K, Edge, 0, 1>(sum, x, step, left, g.in_width, taps);
      else if (i == g.kernel_height) add_row<T, K, Edge, 1, 2>(sum, x, step, left, g.in_width, taps - K * L);
      else add_row<T, K, Edge, 0, 2>(sum, x, step, left, g.in_width, taps);
    }
  }
#pragma GCC unroll 2
  for (int o = 0; o < R; ++o) {
    T* y = r.y + ((row + o) * g.width + first) * step + channel;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      if (!Edge || first + v < g.width) store(y + v * step, sum.at[o][v]);
  }
}

template <class T, int K>
void depthwise_width(const DepthwiseRows<T>& r) {
  constexpr int V = kAcross<K>;
  const DepthwiseShape& g = *r.shape;
  for (int64_t at = 0; at < g.width; at += V) {
    const int64_t first = at + V <= g.width || g.width < V ? at : g.width - V, left = first + g.low_width;
    const bool edge = left < 0 || left + V + K - 1 > g.in_width || first + V > g.width;
    for (int64_t vector = r.first_vector; vector < r.last_vector; ++vector) {
      int64_t row = r.first_row;
      for (; row + kDown <= r.last_row; row += kDown)
        edge ? depthwise_block<T, K, kDown, true>(r, vector, row, first) : depthwise_block<T, K, kDown, false>(r, vector, row, first);
      for (; row < r.last_row; ++row)
        edge ? depthwise_block<T, K, 1, true>(r, vector, row, first) : depthwise_block<T, K, 1, false>(r, vector, row, first);
    }
  }
}

template <class T>
void depthwise_rows(const DepthwiseRows<T>& r) {
  if (r.shape->kernel_width == 3) depthwise_width<T, 3>(r);
  else if (r.shape->kernel_width == 5) depthwise_width<T, 5>(r);
  else depthwise_width<T, 7>(r);
}
