// Sums over the pairs of taps, a few of them at a time, held in registers. Included inside the namespace of one instruction set.

#if defined(__AVX512F__)
constexpr int kPairs = 6, kOutputs = 4;        // dots: sums of a call
constexpr int kSpreadPairs = 6, kVectors = 4;  // spread; outer: outputs and vectors
#else
constexpr int kPairs = 4, kOutputs = 2;
constexpr int kSpreadPairs = 4, kVectors = 2;
#endif
constexpr int64_t kFetched = 768;    // elements that a row of weights is fetched ahead
constexpr int64_t kShort = 1024;      // elements of a row of weights up to which the next ones are fetched
constexpr int64_t kFetchedRows = 24; // rows of weights that spread fetches ahead
constexpr int64_t kInputs = 32;      // rows of weights that all pairs of a tap pass before the next

// P pairs and K outputs: lanes are inputs.
template <class A, int K, int P>
void dot_pairs(const FewDots<A>& d, const FewTap& tap, int64_t first) {
  constexpr int L = kLanes<A>;
  const FewPair* pairs = tap.pairs + first;
  const A *x[P], *w = d.w + tap.w;
  A* sums[P];
  Vector<A> sum[P][K];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    x[p] = d.x + pairs[p].in * d.x_step;
    sums[p] = d.sums + pairs[p].out * (K * L);
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) sum[p][k] = load(sums[p] + k * L);
  }
  const bool fetches = first == 0;
  // Short rows: those of the next outputs.
  const int64_t ahead = d.w_step <= kShort ? K * d.w_step : kFetched;
  for (int64_t c = 0; c < d.inputs; c += L) {
    Vector<A> weight[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) {
      weight[k] = load(w + k * d.w_step + c);
      if (fetches) __builtin_prefetch(w + k * d.w_step + c + ahead);
    }
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      const Vector<A> input = load(x[p] + c);
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) sum[p][k] += input * weight[k];
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) store(sums[p] + k * L, sum[p][k]);
}

template <class A, int K, int... P>
VOXGRAD_INLINE void dot_tap(const FewDots<A>& d, const FewTap& tap, std::integer_sequence<int, P...>) {
  static constexpr void (*by_pairs[])(const FewDots<A>&, const FewTap&, int64_t) = {dot_pairs<A, K, P + 1>...};
  for_pieces(tap.count, kPairs, [&](int64_t first, int64_t count) { by_pairs[count - 1](d, tap, first); });
}

template <class A, int K>
void dots_of(const FewDots<A>& d) {
  constexpr int L = kLanes<A>;
  const int64_t count = d.voxels * K;
  for (int64_t i = 0; i < count; ++i) store(d.sums + i * L, Vector<A>{});
  for (int64_t t = 0; t < d.taps.count; ++t) dot_tap<A, K>(d, d.taps.taps[t], std::make_integer_sequence<int, kPairs>{});
  for (int64_t first = 0; first < count; first += L) {
    Vector<A> v[L];
    for (int64_t i = 0; i < L; ++i) v[i] = first + i < count ? load(d.sums + (first + i) * L) : Vector<A>{};
    A total[L];
    store(total, sums_of_lanes<A>(v));
    for (int64_t i = first; i < std::min<int64_t>(first + L, count); ++i) d.y[i / K * d.y_step + i % K] += total[i - first];
  }
}

// One tap, K outputs and P pairs, K P <= lanes: sums are whole before they leave the registers.
template <class A, int K, int P>
void dot_pairs_once(const FewDots<A>& d, int64_t first) {
  constexpr int L = kLanes<A>;
  const FewTap& tap = d.taps.taps[0];
  const FewPair* pairs = tap.pairs + first;
  const A *x[P], *w = d.w + tap.w;
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) x[p] = d.x + pairs[p].in * d.x_step;
  // The rows of the next outputs are fetched meanwhile, a share of them by each piece of the pairs.
  const A *fetched = w + (K + K * first / tap.count) * d.w_step, *const end = w + (K + K * (first + P) / tap.count) * d.w_step;
  Vector<A> sum[L] = {};
  for (int64_t c = 0; c < d.inputs; c += L) {
    Vector<A> weight[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) weight[k] = load(w + k * d.w_step + c);
    for (const A* row = fetched; row < end; row += d.w_step) __builtin_prefetch(row + c);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      const Vector<A> input = load(x[p] + c);
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) sum[p * K + k] += input * weight[k];
    }
  }
  A total[L];
  store(total, sums_of_lanes<A>(sum));
  for (int p = 0; p < P; ++p)
    for (int k = 0; k < K; ++k) d.y[pairs[p].out * d.y_step + k] += total[p * K + k];
}
template <class A, int K, int... P>
void dots_once(const FewDots<A>& d, std::integer_sequence<int, P...>) {
  static constexpr void (*by_pairs[])(const FewDots<A>&, int64_t) = {dot_pairs_once<A, K, P + 1>...};
  for_pieces(d.taps.taps[0].count, int64_t(sizeof...(P)), [&](int64_t first, int64_t count) { by_pairs[count - 1](d, first); });
}

template <class A>
void dots(const FewDots<A>& d) {
  if (d.taps.count == 1) {
    using Pairs = std::make_integer_sequence<int, kLanes<A> / kOutputs>;
    if (d.outputs == 1) return dots_once<A, 1>(d, Pairs{});
    if (d.outputs == 2) return dots_once<A, 2>(d, Pairs{});
    if constexpr (kOutputs == 4) return d.outputs == 3 ? dots_once<A, 3>(d, Pairs{}) : dots_once<A, 4>(d, Pairs{});
  }
  if (d.outputs == 1) return dots_of<A, 1>(d);
  if (d.outputs == 2) return dots_of<A, 2>(d);
  if constexpr (kOutputs == 4) d.outputs == 3 ? dots_of<A, 3>(d) : dots_of<A, 4>(d);
}

// P pairs and V vectors of outputs, of the inputs [from, to).
template <class A, int V, int P>
void spread_pairs(const FewSpread<A>& s, const FewTap& tap, int64_t first, int64_t from, int64_t to, int64_t at) {
  constexpr int L = kLanes<A>;
  const FewPair* pairs = tap.pairs + first;
  const A *x[P], *w = s.w + from * s.w_step + tap.w + at;
  A* y[P];
  Vector<A> sum[P][V];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    x[p] = s.x + pairs[p].in * s.x_step;
    y[p] = s.y + pairs[p].out * s.y_step + at;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[p][v] = load(y[p] + v * L);
  }
  const int64_t ahead = first == 0 ? kFetchedRows * s.w_step : 0;
  for (int64_t k = from; k < to; ++k, w += s.w_step) {
    Vector<A> weight[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      weight[v] = load(w + v * L);
      __builtin_prefetch(w + v * L + ahead);
    }
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      const A input = x[p][k];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[p][v] += input * weight[v];
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(y[p] + v * L, sum[p][v]);
}

template <class A, int V, int... P>
VOXGRAD_INLINE void spread_tap(const FewSpread<A>& s, const FewTap& tap, int64_t from, int64_t to, int64_t at,
                               std::integer_sequence<int, P...>) {
  static constexpr void (*by_pairs[])(const FewSpread<A>&, const FewTap&, int64_t, int64_t, int64_t,
                                      int64_t) = {spread_pairs<A, V, P + 1>...};
  for_pieces(tap.count, kSpreadPairs, [&](int64_t first, int64_t count) { by_pairs[count - 1](s, tap, first, from, to, at); });
}

// Calls f(first vector, std::integral_constant of their number) for pieces of up to kVectors vectors.
template <class F>
VOXGRAD_INLINE void for_vectors(int64_t vectors, F&& f) {
  for_pieces(vectors, kVectors, [&](int64_t first, int64_t count) {
    if (count == 1) return f(first, std::integral_constant<int, 1>{});
    if (count == 2) return f(first, std::integral_constant<int, 2>{});
    if constexpr (kVectors == 4) {
      if (count == 3) return f(first, std::integral_constant<int, 3>{});
      f(first, std::integral_constant<int, 4>{});
    }
  });
}

template <class A>
void spread(const FewSpread<A>& s) {
  for (int64_t t = 0; t < s.taps.count; ++t)
    for (int64_t from = 0; from < s.inputs; from += kInputs)
      for_vectors(s.vectors, [&]<int V>(int64_t first, std::integral_constant<int, V>) {
        spread_tap<A, V>(s, s.taps.taps[t], from, std::min(from + kInputs, s.inputs), first * kLanes<A>,
                         std::make_integer_sequence<int, kSpreadPairs>{});
      });
}

// K outputs and V vectors of inputs.
template <class A, int V, int K>
void outer_outputs(const FewOuter<A>& o, const FewTap& tap, int64_t output, int64_t at) {
  constexpr int L = kLanes<A>;
  const A *x = o.x + at, *gy = o.gy + output;
  Vector<A> sum[K][V] = {};
  for (int64_t p = 0; p < tap.count; ++p) {
    const A *xp = x + tap.pairs[p].in * o.x_step, *g = gy + tap.pairs[p].out * o.gy_step;
    Vector<A> input[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) input[v] = load(xp + v * L);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[k][v] += g[k] * input[v];
  }
  A* gw = o.gw + output * o.w_step + tap.w + at;
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k, gw += o.w_step)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) o.streamed ? store_past_caches(gw + v * L, sum[k][v]) : store(gw + v * L, sum[k][v]);
}

template <class A, int V, int... K>
VOXGRAD_INLINE void outer_piece(const FewOuter<A>& o, const FewTap& tap, int64_t output, int64_t count, int64_t at,
                                std::integer_sequence<int, K...>) {
  static constexpr void (*by_outputs[])(const FewOuter<A>&, const FewTap&, int64_t, int64_t) = {outer_outputs<A, V, K + 1>...};
  by_outputs[count - 1](o, tap, output, at);
}

template <class A>
void outer(const FewOuter<A>& o) {
  for_pieces(o.outputs, kSpreadPairs, [&](int64_t output, int64_t count) {
    for (int64_t t = 0; t < o.taps.count; ++t)
      for_vectors(o.vectors, [&]<int V>(int64_t first, std::integral_constant<int, V>) {
        outer_piece<A, V>(o, o.taps.taps[t], output, count, first * kLanes<A>, std::make_integer_sequence<int, kSpreadPairs>{});
      });
  });
  if (o.streamed) finish_past_caches();
}
