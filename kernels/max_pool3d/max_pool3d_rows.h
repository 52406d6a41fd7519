// Included inside a namespace per instruction set; see core/device/isa.h. A group of kLanes channels is one vector; the last group of a
// voxel may have less.

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

template <int kSize> struct IntegerOf { using type = int32_t; };
template <> struct IntegerOf<8> { using type = int64_t; };

template <class E>
struct Lanes {
  using Vector [[gnu::vector_size(kLanes * sizeof(E))]] = E;
};
template <class E> using Vector = typename Lanes<E>::Vector;
template <class A> using Index = typename IntegerOf<sizeof(A)>::type;

// kWhole: all lanes are there. Lanes beyond `count` are 0.
template <bool kWhole, class E>
Vector<E> loaded(const E* p, int64_t count) {
  Vector<E> v = {};
  __builtin_memcpy(&v, p, kWhole ? sizeof v : size_t(count) * sizeof(E));
  return v;
}
template <bool kWhole, class E>
void store(E* p, const Vector<E>& v, int64_t count) {
  __builtin_memcpy(p, &v, kWhole ? sizeof v : size_t(count) * sizeof(E));
}
template <bool kWhole, class A, class T>
Vector<A> values(const T* p, int64_t count) {
  if constexpr (std::is_same_v<T, A>) return loaded<kWhole>(p, count);
  else if constexpr (std::is_same_v<T, bf16>) {
    const auto bits = loaded<kWhole>(reinterpret_cast<const uint16_t*>(p), count);
    return (Vector<A>)(__builtin_convertvector(bits, Vector<uint32_t>) << 16);
  } else {
    Vector<A> v = {};
    for (int64_t j = 0; j < (kWhole ? kLanes : count); ++j) v[j] = A(p[j]);
    return v;
  }
}
template <bool kWhole, class A, class T>
void store_values(T* p, const Vector<A>& v, int64_t count) {
  if constexpr (std::is_same_v<T, A>) store<kWhole>(p, v, count);
  else
    for (int64_t j = 0; j < (kWhole ? kLanes : count); ++j) p[j] = T(v[j]);
}

// kGroups vectors of one output: a chain of comparisons each, which wait for themselves alone.
template <int kGroups, bool kWhole, bool kWinner, class T, class I>
void largest(const MaxPoolRow<T>& p, int w, int64_t c, int64_t count, T* y, I* winner) {
  using A = accum_t<T>;
  // A dilated window may hold nothing but padding: -infinity, and a winner that no input looks for.
  Vector<A> best[kGroups];
  Vector<Index<A>> at[kGroups] = {}, nan[kGroups] = {};
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) best[g] = Vector<A>{} - A(__builtin_huge_val());
  bool first = true;
  for (int r = 0; r < p.rows; ++r)
    for (int e = p.begin[w]; e < p.end[w]; ++e) {
      const T* x = p.x[r] + int64_t(p.first[w] + e * p.dilation) * p.c + c;
      const Vector<Index<A>> tap = Vector<Index<A>>{} + Index<A>(p.tap[r] + e);
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) {
        const Vector<A> v = values<kWhole, A>(x + g * kLanes, count);
        if constexpr (kWinner) {
          const auto better = first ? tap == tap : (v > best[g]) | (v != v);
          best[g] = better ? v : best[g];
          at[g] = better ? tap : at[g];
        } else {
          best[g] = v > best[g] ? v : best[g];
          nan[g] |= v != v;
        }
      }
      first = false;
    }
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) {
    if constexpr (kWinner) store<kWhole>(winner + g * kLanes, __builtin_convertvector(at[g], Vector<I>), count);
    else best[g] = nan[g] ? Vector<A>{} + A(__builtin_nan("")) : best[g];
    store_values<kWhole, A>(y + g * kLanes, best[g], count);
  }
}

template <bool kWinner, class T, class I>
void largest_of_row(const MaxPoolRow<T>& p, T* y, I* winner) {
  constexpr int kGroups = 4, kStep = kGroups * kLanes;
  for (int w = 0; w < p.out; ++w) {
    T* to = y + w * p.c;
    I* at = kWinner ? winner + w * p.c : nullptr;
    const auto next = [&](int64_t c) { return kWinner ? at + c : nullptr; };
    int64_t c = 0;
    for (; c + kStep <= p.c; c += kStep) largest<kGroups, true, kWinner>(p, w, c, kLanes, to + c, next(c));
    for (; c + kLanes <= p.c; c += kLanes) largest<1, true, kWinner>(p, w, c, kLanes, to + c, next(c));
    if (c < p.c) largest<1, false, kWinner>(p, w, c, p.c - c, to + c, next(c));
  }
}
template <class T, class I>
void forward_row(const MaxPoolRow<T>& p, T* y, I* winner) {
  if (winner) largest_of_row<true>(p, y, winner);
  else largest_of_row<false>(p, y, winner);
}
