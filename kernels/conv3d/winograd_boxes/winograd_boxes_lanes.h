// Products of channels whose vectors run along boxes, and such vectors from and to rows. Included inside the namespace of one instruction
// set, behind winograd_boxes_tiles.h.

template <class A, int M, bool Inputs>
VOXGRAD_INLINE void load_lanes(const WinogradBoxesLoad<A>& r) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, N = Inputs ? M + 2 : M;
  const int64_t from_step = r.from_step, plane_step = r.plane_step, count = r.count;
  A* to = r.to;
  const A* from[L];
  for (int l = 0; l < L; ++l) from[l] = r.from + r.place[l];
  for (int64_t i = 0; i < count; i += E, to += E * L) {
    Vector<A> rows[N][E];
#pragma GCC unroll 4
    for (int e = 0; e < E; ++e) {
      const A* places[L / E];
#pragma GCC unroll 4
      for (int q = 0; q < L / E; ++q) places[q] = from[q * E + e] + i;
#pragma GCC unroll 6
      for (int z = 0; z < N; ++z) rows[z][e] = load_quarters<A>([&](int q) { return places[q] + z * from_step; });
    }
#pragma GCC unroll 6
    for (int z = 0; z < N; ++z) transpose_quarters<A>(rows[z]);
#pragma GCC unroll 4
    for (int e = 0; e < E; ++e) {
      Vector<A> x[N], u[M + 2];
#pragma GCC unroll 6
      for (int z = 0; z < N; ++z) x[z] = rows[z][e];
      if constexpr (Inputs) {
        inputs_along<M, A>(x);
#pragma GCC unroll 6
        for (int z = 0; z < N; ++z) u[z] = x[z];
      } else gradients_along<M, A>(x, u);
#pragma GCC unroll 6
      for (int z = 0; z < M + 2; ++z) store(to + z * plane_step + e * L, u[z]);
    }
  }
}
template <class A>
void load_inputs(const WinogradBoxesLoad<A>& r) {
  if (r.tile == 4) load_lanes<A, 4, true>(r);
  else load_lanes<A, 2, true>(r);
}
template <class A>
void load_gradients(const WinogradBoxesLoad<A>& r) {
  if (r.tile == 4) load_lanes<A, 4, false>(r);
  else load_lanes<A, 2, false>(r);
}

// Whole: of all lanes, all planes and elements.
template <class T, class A, int M, bool Whole>
void store_lanes_by(const WinogradBoxesStore<A>& s) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, Q = L / E;
  const int64_t plane_step = s.plane_step, to_step = s.to_step, most = s.most;
  const A *const from = s.from, *const bias = s.bias;
  const bool streamed = s.streamed && sizeof(T) == sizeof(A);
  T* rows[L];
  int64_t counts[L], depths[L];
  for (int l = 0; l < L; ++l) {
    rows[l] = static_cast<T*>(s.to) + s.place[l];
    counts[l] = s.count[l];
    depths[l] = s.planes[l];
  }
  for (int64_t i = 0; i < most; i += L) {
    Vector<A> parts[M][Q][E];  // E elements of E lanes in each quarter
    for (int q = 0; q < Q; ++q) {
      Vector<A> y[M][E];
      const A* const at = from + (i + q * E) * L;
#pragma GCC unroll 4
      for (int e = 0; e < E; ++e) {
        Vector<A> u[M + 2], v[M];
#pragma GCC unroll 6
        for (int z = 0; z < M + 2; ++z) u[z] = load(at + z * plane_step + e * L);
        outputs_along<M, A>(u, v);
#pragma GCC unroll 4
        for (int z = 0; z < M; ++z) y[z][e] = v[z] + splat(bias[i + q * E + e]);
      }
#pragma GCC unroll 4
      for (int z = 0; z < M; ++z) {
        transpose_quarters<A>(y[z]);
#pragma GCC unroll 4
        for (int e = 0; e < E; ++e) parts[z][q][e] = y[z][e];
      }
    }
    for (int z = 0; z < M; ++z)
#pragma GCC unroll 16
      for (int l = 0; l < L; ++l) {
        const Vector<A> v = load_quarters<A>([&](int q) { return reinterpret_cast<const A*>(&parts[z][q][l % E]) + l / E * E; });
        T* const to = rows[l] + z * to_step + i;
        if (Whole || (z < depths[l] && counts[l] - i >= L)) streamed ? store_past_caches(to, v) : store(to, v);
        else if (z < depths[l] && counts[l] > i) store_some(to, v, counts[l] - i);
      }
  }
  if (streamed) finish_past_caches();
}
template <class T, class A, int M>
VOXGRAD_INLINE void store_lanes_of(const WinogradBoxesStore<A>& s) {
  bool whole = s.most % kLanes<A> == 0;
  for (int l = 0; l < kLanes<A>; ++l) whole &= s.planes[l] >= M && s.count[l] == s.most;
  if (whole) store_lanes_by<T, A, M, true>(s);
  else store_lanes_by<T, A, M, false>(s);
}
template <class T, class A>
VOXGRAD_INLINE void store_lanes_to(const WinogradBoxesStore<A>& s) {
  if (s.tile == 4) store_lanes_of<T, A, 4>(s);
  else store_lanes_of<T, A, 2>(s);
}
template <class A>
void store_lanes(const WinogradBoxesStore<A>& s) {
  if constexpr (sizeof(A) == 8) store_lanes_to<double>(s);
  else if (s.dtype == DType::bf16) store_lanes_to<bf16>(s);
  else if (s.dtype == DType::f16) store_lanes_to<f16>(s);
  else store_lanes_to<float>(s);
}

#if defined(__AVX512F__)
constexpr int kOutputs = 12;  // that are summed at once, for two tiles
#else
constexpr int kOutputs = 6;
#endif

template <class A, int V, int K>
VOXGRAD_INLINE void multiply_tiles(const WinogradBoxesProduct<A>& p, const A* w, const A* in, A* out) {
  constexpr int L = kLanes<A>;
  const int64_t in_tile = p.inputs * L, out_tile = p.outputs * L;
  Vector<A> sum[V][K] = {};
  for (int64_t c = 0; c < p.inputs; ++c, w += p.outputs, in += L) {
    Vector<A> x[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) x[v] = load(in + v * in_tile);
#pragma GCC unroll 12
    for (int k = 0; k < K; ++k)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[v][k] += w[k] * x[v];
  }
#pragma GCC unroll 2
  for (int v = 0; v < V; ++v)
#pragma GCC unroll 12
    for (int k = 0; k < K; ++k) store(out + v * out_tile + k * L, sum[v][k]);
}

template <class A, int K>
void multiply_outputs(const WinogradBoxesProduct<A>& p, int64_t first) {
  constexpr int L = kLanes<A>;
  for (int64_t f = 0; f < kBoxesPlane; ++f) {
    const A *w = p.w + f * p.w_step + first, *in = p.in + f * p.in_step;
    A* out = p.out + f * p.out_step + first * L;
    int64_t t = 0;
    for (; t + 2 <= p.tiles; t += 2) multiply_tiles<A, 2, K>(p, w, in + t * p.inputs * L, out + t * p.outputs * L);
    if (t < p.tiles) multiply_tiles<A, 1, K>(p, w, in + t * p.inputs * L, out + t * p.outputs * L);
  }
}

template <class A, int... K>
VOXGRAD_INLINE void multiply_by(const WinogradBoxesProduct<A>& p, std::integer_sequence<int, K...>) {
  static constexpr void (*by_outputs[])(const WinogradBoxesProduct<A>&, int64_t) = {multiply_outputs<A, K + 1>...};
  for_pieces(p.outputs, kOutputs, [&](int64_t first, int64_t count) { by_outputs[count - 1](p, first); });
}
template <class A>
void multiply(const WinogradBoxesProduct<A>& p) {
  multiply_by<A>(p, std::make_integer_sequence<int, kOutputs>{});
}

// Sums that one vector holds when they are added up: of kRanks outputs and kLanes / kRanks inputs or, where that leaves fewer empty,
// others.
template <class A>
constexpr int kRanks = kLanes<A> >= 8 ? 4 : 2;
template <class A>
constexpr int kOtherRanks = kLanes<A> >= 16 ? 5 : kLanes<A> / kRanks<A>;
template <class A>
constexpr WinogradBoxesGroup kGroups[2] = {{kRanks<A>, kLanes<A> / kRanks<A>}, {kOtherRanks<A>, kLanes<A> / kOtherRanks<A>}};

template <class A, int K, int C>
void outer_piece(const A* g, const A* x, const WinogradBoxesOuter<A>& o, A* sum) {
  constexpr int L = kLanes<A>;
  Vector<A> sums[L] = {};
  for (int64_t t = 0; t < o.tiles; ++t, g += o.outputs * L, x += o.inputs * L) {
    Vector<A> in[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) in[c] = load(x + c * L);
#pragma GCC unroll 5
    for (int k = 0; k < K; ++k) {
      const Vector<A> gradient = load(g + k * L);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sums[k * C + c] += gradient * in[c];
    }
  }
  store(sum, load(sum) + sums_of_lanes<A>(sums));
}

template <class A, int K, int C, int... I>
VOXGRAD_INLINE void outer_by(const WinogradBoxesOuter<A>& o, std::integer_sequence<int, I...>) {
  constexpr int L = kLanes<A>;
  static constexpr void (*by_size[])(const A*, const A*, const WinogradBoxesOuter<A>&, A*) = {outer_piece<A, I / C + 1, I % C + 1>...};
  for (int f = 0; f < kBoxesPlane; ++f) {
    const A *g = o.g + f * o.g_step, *x = o.x + f * o.x_step;
    A* sum = o.sum + f * o.sum_step;
    for_pieces(o.outputs, K, [&](int64_t k, int64_t outputs) {
      for_pieces(o.inputs, C, [&](int64_t c, int64_t inputs) {
        by_size[(outputs - 1) * C + inputs - 1](g + k * L, x + c * L, o, sum);
        sum += L;
      });
    });
  }
}
template <class A>
void outer(const WinogradBoxesOuter<A>& o) {
  constexpr int K = kRanks<A>, C = kLanes<A> / K, other_k = kOtherRanks<A>, other_c = kLanes<A> / other_k;
  if (o.group.outputs == K) outer_by<A, K, C>(o, std::make_integer_sequence<int, K * C>{});
  else outer_by<A, other_k, other_c>(o, std::make_integer_sequence<int, other_k * other_c>{});
}

template <class A>
WinogradBoxesIsa<A> kernels() {
  return {kOutputs,
          {kGroups<A>[0], kGroups<A>[1]},
          load_inputs<A>,
          load_gradients<A>,
          store_lanes<A>,
          transform_inputs<A>,
          transform_gradients<A>,
          transform_outputs<A>,
          multiply<A>,
          outer<A>};
}
template WinogradBoxesIsa<float> kernels<float>();
template WinogradBoxesIsa<double> kernels<double>();
