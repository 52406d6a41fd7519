// Products of channels whose vectors run along boxes, and such vectors from and to rows. Included inside the namespace of one instruction
// set, behind narrow_tiles.h.

template <class A, int M>
NarrowDepth<A> depth_of() {
  NarrowDepth<A> d;
  for (int i = 0; i < M + 2; ++i) {
    A x[M + 2] = {}, y[M];
    x[i] = 1;
    outputs_along<M, A>(x, y);
    for (int o = 0; o < M; ++o) d.outputs[o][i] = y[o];
  }
  return d;
}
template <class A>
NarrowDepth<A> depth(int outputs) {
  return outputs == 4 ? depth_of<A, 4>() : depth_of<A, 2>();
}

template <class A, int M, bool Inputs>
VOXGRAD_INLINE void load_lanes(const NarrowLoad<A>& r) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, N = Inputs ? M + 2 : M;
  const int64_t from_step = r.from_step, plane_step = r.plane_step;
  for (int64_t i = 0; i < r.count; i += E) {
    Vector<A> rows[N][E];
#pragma GCC unroll 4
    for (int e = 0; e < E; ++e) {
      const A* places[L / E];
#pragma GCC unroll 4
      for (int q = 0; q < L / E; ++q) places[q] = r.from + i + r.place[q * E + e];
#pragma GCC unroll 6
      for (int z = 0; z < N; ++z) rows[z][e] = load_quarters<A>([&](int q) { return places[q] + z * from_step; });
    }
#pragma GCC unroll 6
    for (int z = 0; z < N; ++z) transpose_quarters<A>(rows[z]);
    A* to = r.to + i * L;
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
void load_inputs(const NarrowLoad<A>& r) {
  if (r.tile == 4) load_lanes<A, 4, true>(r);
  else load_lanes<A, 2, true>(r);
}
template <class A>
void load_gradients(const NarrowLoad<A>& r) {
  if (r.tile == 4) load_lanes<A, 4, false>(r);
  else load_lanes<A, 2, false>(r);
}

template <class T, class A>
void store_lanes_to(const NarrowStore<A>& s) {
  constexpr int L = kLanes<A>;
  const bool streamed = s.streamed && sizeof(T) == sizeof(A);
  for (int64_t i = 0; i < s.most; i += L) {
    Vector<A> v[L];
#pragma GCC unroll 16
    for (int l = 0; l < L; ++l) v[l] = load(s.from + (i + l) * L);
    transpose_vectors<A>(v);
#pragma GCC unroll 16
    for (int l = 0; l < L; ++l) {
      T* const to = static_cast<T*>(s.to) + s.place[l] + i;
      if (s.count[l] - i < L) {
        if (s.count[l] > i) store_some(to, v[l], s.count[l] - i);
      } else if (streamed) store_past_caches(to, v[l]);
      else store(to, v[l]);
    }
  }
  if (streamed) finish_past_caches();
}
template <class A>
void store_lanes(const NarrowStore<A>& s) {
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
VOXGRAD_INLINE void multiply_tiles(const NarrowProduct<A>& p, const A* w, const A* in, A* out) {
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
void multiply_outputs(const NarrowProduct<A>& p, int64_t first) {
  constexpr int L = kLanes<A>;
  for (int64_t f = 0; f < kNarrowPlane; ++f) {
    const A *w = p.w + f * p.w_step + first, *in = p.in + f * p.in_step;
    A* out = p.out + f * p.out_step + first * L;
    int64_t t = 0;
    for (; t + 2 <= p.tiles; t += 2) multiply_tiles<A, 2, K>(p, w, in + t * p.inputs * L, out + t * p.outputs * L);
    if (t < p.tiles) multiply_tiles<A, 1, K>(p, w, in + t * p.inputs * L, out + t * p.outputs * L);
  }
}

template <class A, int... K>
VOXGRAD_INLINE void multiply_by(const NarrowProduct<A>& p, std::integer_sequence<int, K...>) {
  static constexpr void (*by_outputs[])(const NarrowProduct<A>&, int64_t) = {multiply_outputs<A, K + 1>...};
  for_pieces(p.outputs, kOutputs, [&](int64_t first, int64_t count) { by_outputs[count - 1](p, first); });
}
template <class A>
void multiply(const NarrowProduct<A>& p) {
  multiply_by<A>(p, std::make_integer_sequence<int, kOutputs>{});
}

// Sums that one vector holds when they are added up: of kRanks outputs and kLanes / kRanks inputs or, where that leaves fewer empty,
// others.
template <class A>
constexpr int kRanks = kLanes<A> >= 8 ? 4 : 2;
template <class A>
constexpr int kOtherRanks = kLanes<A> >= 16 ? 5 : kLanes<A> / kRanks<A>;
template <class A>
constexpr NarrowGroup kGroups[2] = {{kRanks<A>, kLanes<A> / kRanks<A>}, {kOtherRanks<A>, kLanes<A> / kOtherRanks<A>}};

template <class A, int K, int C>
void outer_piece(const A* g, const A* x, const NarrowOuter<A>& o, A* sum) {
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
VOXGRAD_INLINE void outer_by(const NarrowOuter<A>& o, std::integer_sequence<int, I...>) {
  constexpr int L = kLanes<A>;
  static constexpr void (*by_size[])(const A*, const A*, const NarrowOuter<A>&, A*) = {outer_piece<A, I / C + 1, I % C + 1>...};
  for (int f = 0; f < kNarrowPlane; ++f) {
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
void outer(const NarrowOuter<A>& o) {
  constexpr int K = kRanks<A>, C = kLanes<A> / K, other_k = kOtherRanks<A>, other_c = kLanes<A> / other_k;
  if (o.group.outputs == K) outer_by<A, K, C>(o, std::make_integer_sequence<int, K * C>{});
  else outer_by<A, other_k, other_c>(o, std::make_integer_sequence<int, other_k * other_c>{});
}

template <class A>
NarrowIsa<A> kernels() {
  return {kOutputs,
          {kGroups<A>[0], kGroups<A>[1]},
          depth<A>,
          load_inputs<A>,
          load_gradients<A>,
          store_lanes<A>,
          transform_inputs<A>,
          transform_gradients<A>,
          add_outputs<A>,
          multiply<A>,
          outer<A>};
}
template NarrowIsa<float> kernels<float>();
template NarrowIsa<double> kernels<double>();
