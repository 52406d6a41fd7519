// Sums over runs for a few voxels at a time, held in registers. Included inside the namespace of one instruction set.

#if defined(__AVX512F__)
constexpr int kVectors = 4;
template <int NB>
constexpr int kVoxels = NB == 1   ? 14
                        : NB == 2 ? 12
                        : NB == 3 ? 8
                                  : 6;
#else
constexpr int kVectors = 2;
template <int NB>
constexpr int kVoxels = NB == 1 ? 12 : 6;
#endif

// sum + x w. Of pairs: an element is two bf16, and both products are added.
#if defined(VOXGRAD_BF16_PAIRS)
VOXGRAD_INLINE Vector<float> multiply_add(Vector<float> sum, const float& x, Vector<float> w) {
  const __m512 both = _mm512_castsi512_ps(_mm512_set1_epi32(__builtin_bit_cast(int32_t, x)));
  return reinterpret_cast<Vector<float>>(
      _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(both), reinterpret_cast<__m512bh>(w)));
}
#else
template <class A>
VOXGRAD_INLINE Vector<A> multiply_add(Vector<A> sum, const A& x, Vector<A> w) {
  return sum + x * w;
}
#endif

// Voxel v of a few is at v * step from the first; neighbours of every third one are reached by the address modes base + {1, 2} step.
template <int V, class A>
VOXGRAD_INLINE const A& at_voxel(const A* const* third, int64_t step, int v) {
  return third[v / 3][(v % 3) * step];
}

template <class A, int V, int NB>
VOXGRAD_INLINE void end_voxels(const ConvEnd<A>& e, int64_t first, Vector<A> (&sum)[V][NB]) {
  constexpr int L = kLanes<A>;
  if (e.mean)
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) {
      const Vector<A> mean = load(e.mean + b * L), factor = load(e.factor + b * L), offset = load(e.offset + b * L);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[v][b] = (sum[v][b] - mean) * factor + offset;
    }
  if (e.residual) {
    const A* residual = static_cast<const A*>(e.residual) + first * e.step;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
      for (int b = 0; b < NB; ++b) sum[v][b] += load(residual + v * e.step + b * L);
  }
  const Vector<A> slope = splat(e.slope);
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) sum[v][b] = sum[v][b] > 0 ? sum[v][b] : slope * sum[v][b];
}

// The residuals of these voxels come from memory while the sums are made.
template <class A, int V, int NB>
VOXGRAD_INLINE void fetch_residual(const ConvEnd<A>& e, int64_t first) {
  const A* residual = static_cast<const A*>(e.residual) + first * e.step;
  for (int v = 0; v < V; ++v)
    for (int b = 0; b < NB; ++b) __builtin_prefetch(residual + v * e.step + b * kLanes<A>);
}

template <class A, int V, int NB>
void gather_voxels(const ConvRow<A>& r, int64_t first) {
  constexpr int L = kLanes<A>, thirds = (V + 2) / 3;
  const int64_t step = r.x_step;
  const A* x = r.x + first * step;
  A* y = r.y + first * r.y_step;
  Vector<A> sum[V][NB];
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) sum[v][b] = load((r.init ? r.init : y + v * r.y_step) + b * L);
  if (r.end && r.end->residual) fetch_residual<A, V, NB>(*r.end, first);
  for (int64_t i = 0; i < r.run_count; ++i) {
    const A* w = r.w + r.runs[i].w * (NB * L);
    const A* third[thirds];
#pragma GCC unroll 8
    for (int j = 0; j < thirds; ++j) third[j] = x + r.runs[i].x + 3 * j * step;
    if (r.ahead != 0)
      for (int v = 0; v < V; ++v)
        for (int64_t s = 0; s < r.runs[i].steps; s += 64 / int64_t(sizeof(A))) __builtin_prefetch(x + r.runs[i].x + v * step + r.ahead + s);
    for (int64_t s = 0; s < r.runs[i].steps; ++s, w += NB * L) {
      Vector<A> weight[NB];
#pragma GCC unroll 4
      for (int b = 0; b < NB; ++b) weight[b] = load(w + b * L);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
        for (int b = 0; b < NB; ++b) sum[v][b] = multiply_add(sum[v][b], at_voxel<V>(third, step, v), weight[b]);
#pragma GCC unroll 8
      for (int j = 0; j < thirds; ++j) ++third[j];
    }
  }
  if (r.end) end_voxels<A, V, NB>(*r.end, first, sum);
  if (r.streamed) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
      for (int b = 0; b < NB; ++b) store_past_caches(y + v * r.y_step + b * L, sum[v][b]);
    return;
  }
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v)
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) store(y + v * r.y_step + b * L, sum[v][b]);
}

template <class A, int NB, int... V>
VOXGRAD_INLINE void gather_width(const ConvRow<A>& r, std::integer_sequence<int, V...>) {
  static constexpr void (*by_voxels[])(const ConvRow<A>&, int64_t) = {gather_voxels<A, V + 1, NB>...};
  for_pieces(r.voxels, kVoxels<NB>, [&](int64_t first, int64_t count) { by_voxels[count - 1](r, first); });
}

template <class A>
void gather(const ConvRow<A>& r) {
  if (r.width == 1) gather_width<A, 1>(r, std::make_integer_sequence<int, kVoxels<1>>{});
  if (r.width == 2) gather_width<A, 2>(r, std::make_integer_sequence<int, kVoxels<2>>{});
  if constexpr (kVectors == 4) {
    if (r.width == 3) gather_width<A, 3>(r, std::make_integer_sequence<int, kVoxels<3>>{});
    if (r.width == 4) gather_width<A, 4>(r, std::make_integer_sequence<int, kVoxels<4>>{});
  }
  if (r.streamed) finish_past_caches();
}

// V voxels times K outputs, V K <= lanes, with lanes along the steps.
template <class A, int V, int K>
VOXGRAD_INLINE void dot_voxels(const ConvRow<A>& r, int64_t w_step, int64_t first, int64_t output) {
  constexpr int L = kLanes<A>;
  const A *x = r.x + first * r.x_step, *w = r.w + output * w_step;
  Vector<A> sum[L] = {};
  for (int64_t i = 0; i < r.run_count; ++i) {
    const A *xi = x + r.runs[i].x, *wi = w + r.runs[i].w;
    for (int64_t s = 0; s < r.runs[i].steps; s += L) {
      Vector<A> weight[K];
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) weight[k] = load(wi + k * w_step + s);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        const Vector<A> input = load(xi + v * r.x_step + s);
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k) sum[v * K + k] += input * weight[k];
      }
    }
  }
  A total[L];
  store(total, sums_of_lanes<A>(sum));
  A* y = r.y + first * r.y_step + output;
  for (int v = 0; v < V; ++v)
    for (int k = 0; k < K; ++k) y[v * r.y_step + k] = total[v * K + k] + (r.init ? r.init[output + k] : y[v * r.y_step + k]);
}

template <class A, int K>
void dot_outputs(const ConvRow<A>& r, int64_t w_step, int64_t output) {
  constexpr int V = kLanes<A> / K;
  int64_t v = 0;
  for (; v + V <= r.voxels; v += V) dot_voxels<A, V, K>(r, w_step, v, output);
  for (; v < r.voxels; ++v) dot_voxels<A, 1, K>(r, w_step, v, output);
}

template <class A>
void dot(const ConvRow<A>& r, int64_t w_step) {
  constexpr int kOutputs = kLanes<A> >= 16 ? 4 : 2;
  for_pieces(r.width, kOutputs, [&](int64_t output, int64_t count) {
    if (count == 1) return dot_outputs<A, 1>(r, w_step, output);
    if (count == 2) return dot_outputs<A, 2>(r, w_step, output);
    if constexpr (kOutputs == 4) {
      if (count == 3) return dot_outputs<A, 3>(r, w_step, output);
      dot_outputs<A, 4>(r, w_step, output);
    }
  });
}

template <class A, int V>
void depthwise_voxels(const ConvRow<A>& r, int64_t first) {
  constexpr int L = kLanes<A>;
  const A* x = r.x + first * r.x_step;
  A* y = r.y + first * r.y_step;
  for (int64_t l = 0; l < r.width * L; l += L) {
    Vector<A> sum[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[v] = load((r.init ? r.init : y + v * r.y_step) + l);
    for (int64_t i = 0; i < r.run_count; ++i) {
      const Vector<A> weight = load(r.w + r.runs[i].w + l);
      const A* xi = x + r.runs[i].x + l;
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[v] += load(xi + v * r.x_step) * weight;
    }
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(y + v * r.y_step + l, sum[v]);
  }
}

template <class A, int... V>
VOXGRAD_INLINE void depthwise_row(const ConvRow<A>& r, std::integer_sequence<int, V...>) {
  static constexpr void (*by_voxels[])(const ConvRow<A>&, int64_t) = {depthwise_voxels<A, V + 1>...};
  for_pieces(r.voxels, int64_t(sizeof...(V)), [&](int64_t first, int64_t count) { by_voxels[count - 1](r, first); });
}

template <class A>
void depthwise(const ConvRow<A>& r) {
  depthwise_row(r, std::make_integer_sequence<int, 8>{});
}
