// Rows of activations to and from the type that kernels compute in. Included inside the namespace of one instruction set.

template <class T, class A>
VOXGRAD_INLINE void widen(const T* src, A* dst, int64_t n) {
  for_lanes<A>(n, [&](int64_t l, auto count) { store(dst + l, load(src + l, count), count); });
}
template <class T, class A>
VOXGRAD_INLINE void narrow(const A* src, T* dst, int64_t n) {
  for_lanes<A>(n, [&](int64_t l, auto count) { store(dst + l, load(src + l, count), count); });
}

// Calls f(T*) with src as the dtype says, one of those that are computed in A.
template <class A, class P, class F>
VOXGRAD_INLINE void on_elements(DType t, P* src, F&& f) {
  const auto as = [&]<class T>() { f(static_cast<std::conditional_t<std::is_const_v<P>, const T*, T*>>(src)); };
  if constexpr (sizeof(A) == 8) as.template operator()<double>();
  else if (t == DType::bf16) as.template operator()<bf16>();
  else if (t == DType::f16) as.template operator()<f16>();
  else as.template operator()<float>();
}

template <class A>
void load_rows(DType t, const void* src, int64_t src_step, A* dst, int64_t dst_step, int64_t rows, int64_t n) {
  on_elements<A>(t, src, [&](auto* from) {
    if (src_step == n && dst_step == n) return widen(from, dst, rows * n);
    for (int64_t r = 0; r < rows; ++r) {
      widen(from + r * src_step, dst + r * dst_step, n);
      for (int64_t i = n; i < dst_step; ++i) dst[r * dst_step + i] = 0;
    }
  });
}

template <class A>
VOXGRAD_INLINE void clear(A* to, int64_t n) {
  for_lanes<A>(n, [&](int64_t l, auto count) { store(to + l, Vector<A>{}, count); });
}
template <class A>
void load_lines(const ConvLines<A>& l) {
  on_elements<A>(l.dtype, l.src, [&](auto* from) {
    A* to = l.dst;
    for (int64_t i = 0; i < l.lines; ++i, from += l.src_step, to += l.dst_step) {
      clear(to, l.before);
      widen(from, to + l.before, l.n);
      clear(to + l.before + l.n, l.after);
    }
  });
}

// V vectors of channels, or one of `count`, from i on.
template <int V, class A, class T, class N>
VOXGRAD_INLINE void normalise_columns(const ConvLoad<A>& l, const T* src, int64_t i, N count) {
  Vector<A> mean[V], factor[V], offset[V];
  for (int v = 0; v < V; ++v) {
    const int64_t c = i + v * kLanes<A>;
    mean[v] = load(l.mean + c, count), factor[v] = load(l.factor + c, count), offset[v] = load(l.offset + c, count);
  }
  const Vector<A> slope = splat(l.slope);
  for (int64_t r = 0; r < l.rows; ++r)
    for (int v = 0; v < V; ++v) {
      const int64_t c = i + v * kLanes<A>;
      const Vector<A> z = (load(src + r * l.src_step + c, count) - mean[v]) * factor[v] + offset[v];
      store(l.dst + r * l.dst_step + c, z > 0 ? z : slope * z, count);
    }
}
template <class A, class T>
VOXGRAD_INLINE void normalise_rows(const ConvLoad<A>& l, const T* src) {
  constexpr int kBlock = 4, L = kLanes<A>;
  constexpr std::integral_constant<int, L> whole;
  int64_t i = 0;
  for (; i + kBlock * L <= l.n; i += kBlock * L) normalise_columns<kBlock>(l, src, i, whole);
  for (; i + 2 * L <= l.n; i += 2 * L) normalise_columns<2>(l, src, i, whole);
  for_lanes<A>(l.n - i, [&](int64_t at, auto count) { normalise_columns<1>(l, src, i + at, count); });
}

template <class A>
void load_part(const ConvLoad<A>& l) {
  on_elements<A>(l.dtype, l.src, [&](auto* from) {
    if (l.mean) normalise_rows(l, from);
    else
      for (int64_t r = 0; r < l.rows; ++r) widen(from + r * l.src_step, l.dst + r * l.dst_step, l.n);
  });
  for (int64_t r = 0; r < l.rows && l.tail > 0; ++r)
    for (int64_t i = l.n; i < l.n + l.tail; ++i) l.dst[r * l.dst_step + i] = 0;
}

template <class A>
void store_rows(DType t, const A* src, int64_t src_step, void* dst, int64_t dst_step, int64_t rows, int64_t n) {
  on_elements<A>(t, dst, [&](auto* to) {
    if (src_step == n && dst_step == n) return narrow(src, to, rows * n);
    for (int64_t r = 0; r < rows; ++r) narrow(src + r * src_step, to + r * dst_step, n);
  });
}

template <bool kNorm, bool kResidual, class A, class T>
VOXGRAD_INLINE void end_rows_of(const ConvEnd<A>& e, T* y) {
  const Vector<A> slope = splat(e.slope);
  for_lanes<A>(e.n, [&](int64_t i, auto count) {
    Vector<A> mean, factor, offset;
    if constexpr (kNorm) mean = load(e.mean + i, count), factor = load(e.factor + i, count), offset = load(e.offset + i, count);
    for (int64_t r = 0; r < e.rows; ++r) {
      T* const at = y + r * e.step + i;
      Vector<A> z = load(at, count);
      if constexpr (kNorm) z = (z - mean) * factor + offset;
      if constexpr (kResidual) z += load(static_cast<const T*>(e.residual) + r * e.step + i, count);
      store(at, z > 0 ? z : slope * z, count);
    }
  });
}
template <class A>
void end_rows(const ConvEnd<A>& e) {
  on_elements<A>(e.dtype, e.y, [&](auto* y) {
    if (e.mean) e.residual ? end_rows_of<true, true>(e, y) : end_rows_of<true, false>(e, y);
    else e.residual ? end_rows_of<false, true>(e, y) : end_rows_of<false, false>(e, y);
  });
}

template <class A>
VOXGRAD_INLINE void transpose_square(const A* src, int64_t src_step, A* dst, int64_t dst_step) {
  constexpr int L = kLanes<A>;
  Vector<A> v[L];
#pragma GCC unroll 16
  for (int l = 0; l < L; ++l) v[l] = load(src + l * src_step);
  transpose_vectors<A>(v);
#pragma GCC unroll 16
  for (int l = 0; l < L; ++l) store(dst + l * dst_step, v[l]);
}

template <class A>
void transpose(const A* src, int64_t src_step, A* dst, int64_t dst_step, int64_t rows, int64_t columns) {
  constexpr int64_t L = kLanes<A>;
  const int64_t whole_rows = rows / L * L, whole_columns = columns / L * L;
  for (int64_t r = 0; r < whole_rows; r += L)
    for (int64_t c = 0; c < whole_columns; c += L) transpose_square(src + r * src_step + c, src_step, dst + c * dst_step + r, dst_step);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) dst[c * dst_step + r] = src[r * src_step + c];
}

template <class A>
void column_sums(DType t, const void* g, int64_t rows, int64_t channels, A* sum) {
  on_elements<A>(t, g, [&](auto* from) {
    if (channels < kLanes<A>) {  // vectors over `period` rows at a time, which repeat the channels a whole number of times
      const int64_t period = kLanes<A> * channels, whole = rows * channels / period * period;
      Vector<A> part[kLanes<A>] = {};
      for (int64_t i = 0; i < whole; i += period)
        for (int64_t v = 0; v < channels; ++v) part[v] += load(from + i + v * kLanes<A>);
      for (int64_t v = 0; v < channels; ++v)
        for (int64_t l = 0; l < kLanes<A>; ++l) sum[(v * kLanes<A> + l) % channels] += part[v][l];
      for (int64_t i = whole; i < rows * channels; ++i) sum[i % channels] += A(from[i]);
      return;
    }
    for_lanes<A>(channels, [&](int64_t c, auto count) {
      Vector<A> part[4] = {};
      int64_t r = 0;
      for (; r + 4 <= rows; r += 4)
        for (int i = 0; i < 4; ++i) part[i] += load(from + (r + i) * channels + c, count);
      for (; r < rows; ++r) part[0] += load(from + r * channels + c, count);
      store(sum + c, load(sum + c, count) + ((part[0] + part[1]) + (part[2] + part[3])), count);
    });
  });
}
