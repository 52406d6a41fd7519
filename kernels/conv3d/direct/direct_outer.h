// Sums of outer products over voxels: weight gradients. Included inside the namespace of one instruction set.

#if defined(__AVX512F__)
template <int NB>
constexpr int kRanks = NB == 1   ? 16
                       : NB == 2 ? 12
                       : NB == 3 ? 8
                                 : 6;
#else
template <int NB>
constexpr int kRanks = NB == 1 ? 12 : 6;
#endif

template <class A, int R, int NB, bool Scattered>
void outer_ranks(const ConvOuter<A>& o, int64_t first) {
  constexpr int L = kLanes<A>;
  int64_t offset[R];
  for (int r = 0; r < R; ++r) offset[r] = Scattered ? o.offsets[first + r] : first + r;
  A* const to = o.sum + first * o.sum_step;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < NB; ++n) __builtin_prefetch(to + r * o.sum_step + n * L, 1);
  Vector<A> sum[R][NB] = {};
  for (int64_t i = 0; i < o.row_count; ++i) {
    const A *a = o.rows[i].a + (Scattered ? 0 : first), *b = o.rows[i].b;
    // The next row is fetched while the first ranks pass over this one.
    const bool fetch = !Scattered && first == 0 && i + 1 < o.row_count;
    const int64_t a_ahead = fetch ? o.rows[i + 1].a - o.rows[i].a : 0, b_ahead = fetch ? o.rows[i + 1].b - o.rows[i].b : 0;
    for (int64_t v = o.rows[i].voxels; v > 0; --v, a += o.a_step, b += o.b_step) {
      if (fetch) {
        for (int64_t r = 0; r < o.extent; r += 64 / int64_t(sizeof(A))) __builtin_prefetch(a + a_ahead + r);
        for (int n = 0; n < NB; ++n) __builtin_prefetch(b + b_ahead + n * L);
      }
      Vector<A> lanes[NB];
#pragma GCC unroll 4
      for (int n = 0; n < NB; ++n) lanes[n] = load(b + n * L);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int n = 0; n < NB; ++n) sum[r][n] += a[Scattered ? offset[r] : r] * lanes[n];
    }
  }
  const bool adds = Scattered || !o.starts;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < NB; ++n) {
      A* const place = to + r * o.sum_step + n * L;
      store(place, adds ? load(place) + sum[r][n] : sum[r][n]);
    }
}

template <class A, int NB, bool Scattered, int... R>
VOXGRAD_INLINE void outer_width(const ConvOuter<A>& o, std::integer_sequence<int, R...>) {
  static constexpr void (*by_ranks[])(const ConvOuter<A>&, int64_t) = {outer_ranks<A, R + 1, NB, Scattered>...};
  for_pieces(o.extent, int64_t(sizeof...(R)), [&](int64_t first, int64_t count) { by_ranks[count - 1](o, first); });
}

template <class A, bool Scattered>
VOXGRAD_INLINE void outer_of(const ConvOuter<A>& o) {
  constexpr auto ranks = [](int n) { return Scattered && n > 9 ? 9 : n; };  // more offsets than that leave the registers
  if (o.vectors == 1) return outer_width<A, 1, Scattered>(o, std::make_integer_sequence<int, ranks(kRanks<1>)>{});
  if (o.vectors == 2) return outer_width<A, 2, Scattered>(o, std::make_integer_sequence<int, ranks(kRanks<2>)>{});
  if constexpr (kVectors == 4) {
    if (o.vectors == 3) return outer_width<A, 3, Scattered>(o, std::make_integer_sequence<int, ranks(kRanks<3>)>{});
    outer_width<A, 4, Scattered>(o, std::make_integer_sequence<int, ranks(kRanks<4>)>{});
  }
}
template <class A>
void outer(const ConvOuter<A>& o) {
  outer_of<A, false>(o);
}
template <class A>
void outer_scattered(const ConvOuter<A>& o) {
  outer_of<A, true>(o);
}

template <class A, int T>
void depthwise_taps(const ConvOuter<A>& o, const ConvRun* runs) {
  constexpr int L = kLanes<A>;
  for (int64_t l = 0; l < o.vectors * L; l += L) {
    Vector<A> sum[T] = {};
    for (int64_t i = 0; i < o.row_count; ++i) {
      const A *a = o.rows[i].a + l, *b = o.rows[i].b + l;
      for (int64_t v = o.rows[i].voxels; v > 0; --v, a += o.a_step, b += o.b_step) {
        const Vector<A> g = load(b);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) sum[t] += load(a + runs[t].x) * g;
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) store(o.sum + runs[t].w + l, load(o.sum + runs[t].w + l) + sum[t]);
  }
}

template <class A, int... T>
VOXGRAD_INLINE void depthwise_pieces(const ConvOuter<A>& o, const ConvRun* runs, int64_t count, std::integer_sequence<int, T...>) {
  static constexpr void (*by_taps[])(const ConvOuter<A>&, const ConvRun*) = {depthwise_taps<A, T + 1>...};
  for_pieces(count, int64_t(sizeof...(T)), [&](int64_t first, int64_t n) { by_taps[n - 1](o, runs + first); });
}

template <class A>
void depthwise_outer(const ConvOuter<A>& o, const ConvRun* runs, int64_t run_count) {
  depthwise_pieces(o, runs, run_count, std::make_integer_sequence<int, 8>{});
}
