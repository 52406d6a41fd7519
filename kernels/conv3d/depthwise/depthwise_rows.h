// Sums of depthwise convolutions: a vector of inputs is loaded once for all outputs of a few rows and voxels that it contributes to; their
// sums are registers, as are the weights of a row of taps. Included inside the namespace of one instruction set.

#if defined(__AVX512F__)
constexpr int kDown = 2;  // rows of outputs
#else
constexpr int kDown = 1;
#endif
template <int K>
constexpr int kAcross = K < 7 ? 8 : 6;  // voxels of a row

template <class A, int R, int V>
struct DepthwiseSums {
  Vector<A> at[R][V];
};

// sum + x w of the weights number s of a row of K. Of pairs: an element of x is the bf16 of a voxel and of the next one, one of the weights
// those of two taps, and the last tap is alone: what it would be paired with may be anything.
#if defined(VOXGRAD_BF16_PAIRS)
constexpr int kTapsAtOnce = 2;
template <int K>
VOXGRAD_INLINE Vector<float> add_product(Vector<float> sum, Vector<float> x, Vector<float> w, int s) {
  const Words alone = reinterpret_cast<Words>(x) & 0xffffu;
  const __m512bh pairs = s == K - 1 ? reinterpret_cast<__m512bh>(alone) : reinterpret_cast<__m512bh>(x);
  return reinterpret_cast<Vector<float>>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), pairs, reinterpret_cast<__m512bh>(w)));
}
#else
constexpr int kTapsAtOnce = 1;
template <int K, class V>
VOXGRAD_INLINE V add_product(V sum, V x, V w, int) {
  return sum + x * w;
}
#endif

// Adds a row of the tile to rows [From, To) of the sums. w: the row of taps for row From; row From + 1 takes the one before.
template <class A, int K, int From, int To, int R, int V>
VOXGRAD_INLINE void add_row(DepthwiseSums<A, R, V>& sum, const A* x, const A* w) {
  constexpr int L = kLanes<A>, S = kTapsAtOnce;
  Vector<A> weight[R][K];
#pragma GCC unroll 2
  for (int o = From; o < To; ++o)
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s) weight[o][s] = load(w + (s - (o - From) * K) * L);
#pragma GCC unroll 16
  for (int j = 0; j < V + (K - 1) * S; ++j) {
    const Vector<A> input = load(x + j * L);
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s)
#pragma GCC unroll 2
      for (int o = From; o < To; ++o)
        if (j >= s * S && j - s * S < V) sum.at[o][j - s * S] = add_product<K>(sum.at[o][j - s * S], input, weight[o][s], s);
  }
}

template <class T, int K, int R>
void depthwise_block(const DepthwiseRows<T>& r, int64_t vector, int64_t row, int64_t first) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>, V = kAcross<K>;
  const DepthwiseShape& g = r.shape;
  DepthwiseSums<A, R, V> sum;
#pragma GCC unroll 2
  for (int o = 0; o < R; ++o)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum.at[o][v] = load(r.bias + vector * L);
  const int64_t from = row < g.first_inside ? g.first_inside - row : 0, rows = g.kernel_height + R - 1;
  const int64_t to = row + rows > g.last_inside ? g.last_inside - row : rows;
  for (int64_t p = 0; p < r.plane_count; ++p) {
    const A* w = r.w + (vector * g.taps + r.planes[p].tap) * L;
    const A* x = r.planes[p].x + ((vector * g.tile_rows + row) * g.tile_width + first) * L;
    for (int64_t i = from; i < to; ++i) {
      const A *xi = x + i * g.tile_width * L, *wi = w + i * K * L;
      if constexpr (R == 1) add_row<A, K, 0, 1>(sum, xi, wi);
      else if (i == 0) add_row<A, K, 0, 1>(sum, xi, wi);
      else if (i == g.kernel_height) add_row<A, K, 1, 2>(sum, xi, wi - K * L);
      else add_row<A, K, 0, 2>(sum, xi, wi);
    }
  }
#pragma GCC unroll 2
  for (int o = 0; o < R; ++o) {
    T* y = r.y + (row + o) * r.y_row + first * r.y_step + r.channels[vector];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      if (first + v < g.width) {
        if (r.stream) store_past_caches(y + v * r.y_step, sum.at[o][v]);
        else if (r.lanes == L) store(y + v * r.y_step, sum.at[o][v]);
        else store_some(y + v * r.y_step, sum.at[o][v], r.lanes);
      }
  }
}

// The voxels [first, first + count) of the rows of the next plane that fall to rows [row, row + kDown) of outputs.
template <class T>
VOXGRAD_INLINE void fetch_next(const DepthwiseRows<T>& r, int64_t row, int64_t first, int64_t count) {
  const DepthwiseShape& g = r.shape;
  const int64_t rows = g.last_inside - g.first_inside;
  for (int64_t y = rows * row / g.rows; y < rows * (row + kDown) / g.rows && y < rows; ++y) {
    const char* from = r.next.x + (g.first_inside + y) * r.next.row + first * r.next.step;
    for (int64_t v = 0; v < count; ++v, from += r.next.step)
      for (int64_t byte = 0; byte < r.next.bytes; byte += 64) __builtin_prefetch(from + byte, 0, 2);
  }
}

template <class T, int K>
void depthwise_width(const DepthwiseRows<T>& r) {
  const DepthwiseShape& g = r.shape;
  for (int64_t first = 0; first < g.width; first += kAcross<K>)
    for (int64_t vector = 0; vector < g.vectors; ++vector)
      for (int64_t row = 0; row < g.rows; row += kDown) {
        if (r.next.x && vector == 0) fetch_next(r, row, first, kAcross<K>);
        row + kDown <= g.rows ? depthwise_block<T, K, kDown>(r, vector, row, first) : depthwise_block<T, K, 1>(r, vector, row, first);
      }
}

#if !defined(VOXGRAD_BF16_PAIRS)
template <class T>
void depthwise_load(const T* x, int64_t step, const int64_t* channels, int64_t vectors, const DepthwiseLine<accum_t<T>>& line) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>;
  for (int64_t i = 0; i < vectors; ++i)
    for (int64_t v = 0; v < line.width; ++v)
      if (v < line.first || v >= line.last) store(line.to + i * line.step + v * L, Vector<A>{});
  for (int64_t v = line.first; v < line.last; ++v, x += step)
    for (int64_t i = 0; i < vectors; ++i) store(line.to + i * line.step + v * L, load(x + channels[i]));
}

template <class T>
void depthwise_rows(const DepthwiseRows<T>& r) {
  if (r.shape.kernel_width == 3) depthwise_width<T, 3>(r);
  else if (r.shape.kernel_width == 5) depthwise_width<T, 5>(r);
  else depthwise_width<T, 7>(r);
  if (r.stream) finish_past_caches();
}
#endif
