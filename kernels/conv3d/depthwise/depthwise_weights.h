// Sums of depthwise weight gradients. Included inside the namespace of one instruction set.

// Rows of taps that share a pass over a row of gradients, and the voxels of it that are held in registers.
#if defined(__AVX512F__)
template <int K>
constexpr int kTapRows = 3;
#else
template <int K>
constexpr int kTapRows = K == 3 ? 2 : 1;
#endif
template <int K>
constexpr int kGradients = kVectorBytes == 64 ? (K < 7 ? 8 : 6) : (K < 7 ? 6 : 4);

// R rows of taps. x: the tile's row of the first one; rows x_row elements apart.
template <class A, int K, int R>
void add_tap_rows(const A* x, int64_t x_row, const A* gy, int64_t width, A* sum) {
  constexpr int L = kLanes<A>, V = kGradients<K>;
  Vector<A> total[R][K] = {};
  for (int64_t first = 0; first < width; first += V, x += V * L, gy += V * L) {
    Vector<A> gradient[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) gradient[v] = load(gy + v * L);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const A* from = x + r * x_row;
#pragma GCC unroll 16
      for (int j = 0; j < V + K - 1; ++j) {
        const Vector<A> input = load(from + j * L);
#pragma GCC unroll 8
        for (int s = 0; s < K; ++s)
          if (j - s >= 0 && j - s < V) total[r][s] += input * gradient[j - s];
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int s = 0; s < K; ++s) store(sum + (r * K + s) * L, load(sum + (r * K + s) * L) + total[r][s]);
}

template <class A, int K>
void depthwise_weights_width(const DepthwiseWeights<A>& d) {
  constexpr int L = kLanes<A>, R = kTapRows<K>;
  const DepthwiseShape& g = d.shape;
  const int64_t x_row = g.tile_width * L;
  for (int64_t vector = 0; vector < g.vectors; ++vector)
    for (int64_t p = 0; p < d.plane_count; ++p)
      for (int64_t row = 0; row < g.rows; ++row) {
        const A* x = d.planes[p].x + (vector * g.tile_rows + row) * x_row;
        const A* gy = d.gy + (vector * g.rows + row) * d.gy_width * L;
        A* sum = d.sum + (vector * g.taps + d.planes[p].tap) * L;
        int64_t t = row < g.first_inside ? g.first_inside - row : 0;
        const int64_t to = row + g.kernel_height > g.last_inside ? g.last_inside - row : g.kernel_height;
        for (; t + R <= to; t += R) add_tap_rows<A, K, R>(x + t * x_row, x_row, gy, g.width, sum + t * K * L);
        if (R > 2 && t + 2 <= to) add_tap_rows<A, K, 2>(x + t * x_row, x_row, gy, g.width, sum + t * K * L), t += 2;
        if (R > 1 && t < to) add_tap_rows<A, K, 1>(x + t * x_row, x_row, gy, g.width, sum + t * K * L);
      }
}

template <class A>
void depthwise_weights(const DepthwiseWeights<A>& d) {
  if (d.shape.kernel_width == 3) depthwise_weights_width<A, 3>(d);
  else if (d.shape.kernel_width == 5) depthwise_weights_width<A, 5>(d);
  else depthwise_weights_width<A, 7>(d);
}
