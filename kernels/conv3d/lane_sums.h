// Several vectors at once: transposed, and summed over their lanes. Included inside the namespace of one instruction set. What stays within
// 128 bits of a register is several times as fast as what does not.

template <class A>
constexpr int kQuarter = 16 / int(sizeof(A));  // elements of 128 bits

// Of each 128 bits of a and b the first halves, or the second ones, in turn by G elements.
template <int G, int Half, class A>
VOXGRAD_INLINE Vector<A> interleave(Vector<A> a, Vector<A> b) {
  constexpr int L = kLanes<A>, E = kQuarter<A>;
  Mask<A> mask;
  for (int l = 0; l < L; ++l) {
    const int group = l % E / G;
    mask[l] = l / E * E + Half * (E / 2) + group / 2 * G + l % G + group % 2 * L;
  }
  return __builtin_shuffle(a, b, mask);
}
// The even, or the odd, ones of the 128 bits of a, then those of b.
template <int Odd, class A>
VOXGRAD_INLINE Vector<A> every_other(Vector<A> a, Vector<A> b) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, half = L / E / 2;
  Mask<A> mask;
  for (int l = 0; l < L; ++l) {
    const int q = l / E;
    mask[l] = (q % half * 2 + Odd) * E + l % E + q / half * L;
  }
  return __builtin_shuffle(a, b, mask);
}

// Squares of kQuarter x kQuarter elements, each within 128 bits.
template <class A>
VOXGRAD_INLINE void transpose_quarters(Vector<A> (&v)[kQuarter<A>]) {
  constexpr int E = kQuarter<A>;
  Vector<A> next[E];
#pragma GCC unroll 2
  for (int i = 0; i < E; i += 2) next[i] = interleave<1, 0, A>(v[i], v[i + 1]), next[i + 1] = interleave<1, 1, A>(v[i], v[i + 1]);
#pragma GCC unroll 2
  for (int j = 0; j < 2; ++j) {
    if constexpr (E == 4) {
      v[2 * j] = interleave<2, 0, A>(next[j], next[j + 2]);
      v[2 * j + 1] = interleave<2, 1, A>(next[j], next[j + 2]);
    } else v[j] = next[j];
  }
}

// The 128 bits at from(q) for every q of a vector.
template <class A, class From>
VOXGRAD_INLINE Vector<A> load_quarters(From&& from) {
#if defined(__AVX2__)
  const auto part = [&](int q) { return _mm_loadu_ps(reinterpret_cast<const float*>(from(q))); };
#endif
#if defined(__AVX512F__)
  __m512 v = _mm512_castps128_ps512(part(0));
  v = _mm512_mask_broadcast_f32x4(v, 0xf0, part(1));
  v = _mm512_mask_broadcast_f32x4(v, 0xf00, part(2));
  return reinterpret_cast<Vector<A>>(_mm512_mask_broadcast_f32x4(v, 0xf000, part(3)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vector<A>>(_mm256_insertf128_ps(_mm256_castps128_ps256(part(0)), part(1), 1));
#else
  return load(from(0));
#endif
}

template <class A>
VOXGRAD_INLINE void transpose_vectors(Vector<A> (&v)[kLanes<A>]) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, Q = L / E;
#pragma GCC unroll 4
  for (int i = 0; i < L; i += E) transpose_quarters<A>(*reinterpret_cast<Vector<A>(*)[E]>(v + i));
#pragma GCC unroll 4
  for (int j = 0; j < E; ++j) {
    if constexpr (Q == 2) {
      const Vector<A> a = v[j], b = v[E + j];
      v[j] = every_other<0, A>(a, b);
      v[E + j] = every_other<1, A>(a, b);
    } else if constexpr (Q == 4) {
      const Vector<A> even = every_other<0, A>(v[j], v[E + j]), odd = every_other<1, A>(v[j], v[E + j]);
      const Vector<A> more_even = every_other<0, A>(v[2 * E + j], v[3 * E + j]), more_odd = every_other<1, A>(v[2 * E + j], v[3 * E + j]);
      v[j] = every_other<0, A>(even, more_even);
      v[2 * E + j] = every_other<1, A>(even, more_even);
      v[E + j] = every_other<0, A>(odd, more_odd);
      v[3 * E + j] = every_other<1, A>(odd, more_odd);
    }
  }
}

// Lane i of the result is the sum over the lanes of v[i]; destroys v.
template <class A>
VOXGRAD_INLINE Vector<A> sums_of_lanes(Vector<A> (&v)[kLanes<A>]) {
  constexpr int L = kLanes<A>, E = kQuarter<A>, Q = L / E;
#pragma GCC unroll 8
  for (int i = 0; i < L / 2; ++i) v[i] = interleave<1, 0, A>(v[2 * i], v[2 * i + 1]) + interleave<1, 1, A>(v[2 * i], v[2 * i + 1]);
  if constexpr (E == 4) {
#pragma GCC unroll 4
    for (int i = 0; i < L / 4; ++i) v[i] = interleave<2, 0, A>(v[2 * i], v[2 * i + 1]) + interleave<2, 1, A>(v[2 * i], v[2 * i + 1]);
  }
  if constexpr (Q > 1)
#pragma GCC unroll 2
    for (int count = Q; count > 1; count /= 2)
#pragma GCC unroll 2
      for (int i = 0; i < count / 2; ++i) v[i] = every_other<0, A>(v[2 * i], v[2 * i + 1]) + every_other<1, A>(v[2 * i], v[2 * i + 1]);
  return v[0];
}
