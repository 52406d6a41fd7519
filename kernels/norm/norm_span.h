// The loops of NormIsa (norm_isa.h). Included inside the namespace of one instruction set, after kernels/simd/lanes.h.

// Sums of the first `strip` lanes: `block` vectors of lanes at a time stay in registers over all rows; the last, incomplete row is added to
// them. step(l, row pointer offset, n, accumulators a, b).
template <class A, class Step>
VOXGRAD_INLINE void sum_over_rows(int64_t count, int64_t lanes, int64_t strip, A* sum0, A* sum1, Step&& step) {
  constexpr int W = kLanes<A>, kBlock = 4;
  const auto block = [&](int64_t l, auto vectors) {
    constexpr int V = decltype(vectors)::value;
    Vector<A> a[V] = {}, b[V] = {};
    int64_t at = l;
    for (; at + V * W <= count; at += lanes)
      for (int v = 0; v < V; ++v) step(l + v * W, at + v * W, std::integral_constant<int, W>{}, a[v], b[v]);
    for (int v = 0; v < V; ++v) {
      const int64_t left = count - (at + v * W);
      if (left >= W) step(l + v * W, at + v * W, std::integral_constant<int, W>{}, a[v], b[v]);
      else if (left > 0) step(l + v * W, at + v * W, left, a[v], b[v]);
      store(sum0 + l + v * W, a[v]);
      store(sum1 + l + v * W, b[v]);
    }
  };
  int64_t l = 0;
  for (; l + kBlock * W <= strip; l += kBlock * W) block(l, std::integral_constant<int, kBlock>{});
  for (; l < strip; l += W) block(l, std::integral_constant<int, 1>{});
}

// Lanes beyond the end of a span, which load as zero, must add nothing.
template <class A, class N>
VOXGRAD_INLINE Vector<A> only_first(Vector<A> v, N n) {
  if constexpr (!std::is_same_v<N, std::integral_constant<int, kLanes<A>>>)
    for (int i = 0; i < kLanes<A>; ++i)
      if (i >= n) v[i] = 0;
  return v;
}

template <class T>
void moments(const NormSpan<T>& s, accum_t<T>* first, accum_t<T>* sum, accum_t<T>* square) {
  using A = accum_t<T>;
  for (int64_t l = 0; l < s.strip; l += kLanes<A>) {
    const int64_t left = s.count - l;
    store(first + l, left >= kLanes<A> ? load(s.x + l) : left > 0 ? load_some(s.x + l, left) : Vector<A>{});
  }
  sum_over_rows(s.count, s.lanes, s.strip, sum, square, [&](int64_t l, int64_t at, auto n, Vector<A>& a, Vector<A>& b) {
    const Vector<A> d = only_first<A>(load(s.x + at, n) - load(first + l), n);
    a += d;
    b += d * d;
  });
}

// f(lane, element, n) over the elements of a span in their order.
template <class A, class F>
VOXGRAD_INLINE void over_rows(int64_t count, int64_t lanes, F&& f) {
  int64_t at = 0;
  for (; at + lanes <= count; at += lanes)
    for (int64_t l = 0; l < lanes; l += kLanes<A>) f(l, at + l, std::integral_constant<int, kLanes<A>>{});
  for_lanes<A>(count - at, [&](int64_t l, auto n) { f(l, at + l, n); });
}

template <class T, bool kSkip>
void apply_of(const NormSpan<T>& s, T* y) {
  using A = accum_t<T>;
  const Vector<A> slope = splat(s.slope);
  over_rows<A>(s.count, s.lanes, [&](int64_t l, int64_t at, auto n) {
    Vector<A> z = (load(s.x + at, n) - load(s.mean + l)) * load(s.factor + l) + load(s.offset + l);
    if constexpr (kSkip) z += load(s.skip + at, n);
    store(y + at, z > 0 ? z : slope * z, n);
  });
}
template <class T>
void apply(const NormSpan<T>& s, T* y) {
  s.skip ? apply_of<T, true>(s, y) : apply_of<T, false>(s, y);
}

// g = gy act'(z), z recomputed as in apply or, in sign, read off y.
template <bool kY, class T, class N>
VOXGRAD_INLINE Vector<accum_t<T>> gradient_of_z(const NormSpan<T>& s, int64_t l, int64_t at, N n, Vector<accum_t<T>> d) {
  using A = accum_t<T>;
  const Vector<A> g = load(s.gy + at, n);
  Vector<A> z;
  if constexpr (kY) z = load(s.y + at, n);
  else z = d * load(s.factor + l) + load(s.offset + l);
  return z > 0 ? g : splat(s.slope) * g;
}

template <bool kY, class T>
void gradient_sums_of(const NormSpan<T>& s, accum_t<T>* sum, accum_t<T>* product) {
  using A = accum_t<T>;
  sum_over_rows(s.count, s.lanes, s.strip, sum, product, [&](int64_t l, int64_t at, auto n, Vector<A>& a, Vector<A>& b) {
    const Vector<A> d = load(s.x + at, n) - load(s.mean + l), g = gradient_of_z<kY>(s, l, at, n, d);
    a += g;
    b += g * d;
  });
}
template <class T>
void gradient_sums(const NormSpan<T>& s, accum_t<T>* sum, accum_t<T>* product) {
  s.y ? gradient_sums_of<true>(s, sum, product) : gradient_sums_of<false>(s, sum, product);
}

template <bool kY, class T>
void gradient_with(const NormSpan<T>& s, const accum_t<T>* slope_x, const accum_t<T>* constant, T* gx, T* gskip) {
  using A = accum_t<T>;
  over_rows<A>(s.count, s.lanes, [&](int64_t l, int64_t at, auto n) {
    const Vector<A> d = load(s.x + at, n) - load(s.mean + l), g = gradient_of_z<kY>(s, l, at, n, d);
    if (gx) store(gx + at, g * load(s.factor + l) + (d * load(slope_x + l) + load(constant + l)), n);
    if (gskip) store(gskip + at, g, n);
  });
}
template <class T>
void gradient(const NormSpan<T>& s, const accum_t<T>* slope_x, const accum_t<T>* constant, T* gx, T* gskip) {
  s.y ? gradient_with<true>(s, slope_x, constant, gx, gskip) : gradient_with<false>(s, slope_x, constant, gx, gskip);
}
