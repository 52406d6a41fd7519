// Vectors of the widest registers that the including file is compiled for: load T, compute in accum_t<T>, store T.
// Included inside the namespace of one instruction set (ARCHITECTURE.md, "Instruction sets"), after core/dtype.h and immintrin.h.
// A file includes it once: it has no include guard, so that a second inclusion does not silently share the first namespace.

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
#define VOXGRAD_INLINE inline __attribute__((always_inline))

template <class A>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
  typedef int32_t mask __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
  typedef int64_t mask __attribute__((vector_size(kVectorBytes)));
};
template <class A>
using Vector = typename VectorOf<A>::type;
template <class A>
using Mask = typename VectorOf<A>::mask;
template <class A>
constexpr int kLanes = kVectorBytes / int(sizeof(A));
typedef uint16_t Halves __attribute__((vector_size(kVectorBytes / 2)));
typedef uint32_t Words __attribute__((vector_size(kVectorBytes)));

template <class A>
VOXGRAD_INLINE Vector<A> splat(A v) {
  return v - Vector<A>{};
}

// 16-bit elements T to f32 and back, rounded to nearest even; a NaN stays one.
template <class T>
VOXGRAD_INLINE Vector<float> from_halves(Halves h) {
  if constexpr (dtype_of<T> == DType::bf16) {
    return reinterpret_cast<Vector<float>>(__builtin_convertvector(h, Words) << 16);
  } else {
#if defined(__AVX512F__)
    return reinterpret_cast<Vector<float>>(_mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(h)));
#elif defined(__AVX2__)
    return reinterpret_cast<Vector<float>>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(h)));
#else
    Vector<float> v;
    for (int i = 0; i < kLanes<float>; ++i) v[i] = detail::float_from_f16(h[i]);
    return v;
#endif
  }
}
template <class T>
VOXGRAD_INLINE Halves to_halves(Vector<float> v) {
  if constexpr (dtype_of<T> == DType::bf16) {
#if defined(__AVX512BF16__)  // subnormal numbers become zero
    return reinterpret_cast<Halves>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(v)));
#else
    const Words u = reinterpret_cast<Words>(v), rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, nan = (u >> 16) | 0x40u;
    return __builtin_convertvector((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded, Halves);
#endif
  } else {
#if defined(__AVX512F__)
    return reinterpret_cast<Halves>(
        _mm512_maskz_cvtps_ph(0xffff, reinterpret_cast<__m512>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__AVX2__)
    return reinterpret_cast<Halves>(_mm256_cvtps_ph(reinterpret_cast<__m256>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    Halves h;
    for (int i = 0; i < kLanes<float>; ++i) h[i] = detail::f16_from_float(v[i]);
    return h;
#endif
  }
}

// kLanes elements from p, which need not be aligned.
template <class T>
VOXGRAD_INLINE Vector<accum_t<T>> load(const T* p) {
  if constexpr (sizeof(T) == sizeof(accum_t<T>)) {
    Vector<T> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  } else {
    Halves h;
    __builtin_memcpy(&h, p, sizeof h);
    return from_halves<T>(h);
  }
}
template <class T>
VOXGRAD_INLINE void store(T* p, Vector<accum_t<T>> v) {
  if constexpr (sizeof(T) == sizeof(accum_t<T>)) {
    __builtin_memcpy(p, &v, sizeof v);
  } else {
    const Halves h = to_halves<T>(v);
    __builtin_memcpy(p, &h, sizeof h);
  }
}

// To memory that is not read again soon: the caches keep what they have. Only where a vector is a cache line; p is aligned to it. Other
// threads see it after finish_past_caches().
template <class T>
VOXGRAD_INLINE void store_past_caches(T* p, Vector<accum_t<T>> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(accum_t<T>)) return _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(v));
#endif
  store(p, v);
}
VOXGRAD_INLINE void finish_past_caches() { __builtin_ia32_sfence(); }

// The first n < kLanes elements; lanes beyond them read as zero and are not written.
template <class T>
VOXGRAD_INLINE Vector<accum_t<T>> load_some(const T* p, int64_t n) {
#if defined(__AVX512BW__)
  const auto lanes = __mmask16((1u << n) - 1);
  if constexpr (sizeof(T) == 8) return reinterpret_cast<Vector<double>>(_mm512_maskz_loadu_pd(__mmask8(lanes), p));
  else if constexpr (sizeof(T) == 4) return reinterpret_cast<Vector<float>>(_mm512_maskz_loadu_ps(lanes, p));
  else return from_halves<T>(reinterpret_cast<Halves>(_mm256_maskz_loadu_epi16(lanes, p)));
#else
  alignas(64) unsigned char bytes[kVectorBytes] = {};
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(bytes + i * int64_t(sizeof(T)), p + i, sizeof(T));
  return load(reinterpret_cast<const T*>(bytes));
#endif
}
template <class T>
VOXGRAD_INLINE void store_some(T* p, Vector<accum_t<T>> v, int64_t n) {
#if defined(__AVX512BW__)
  const auto lanes = __mmask16((1u << n) - 1);
  if constexpr (sizeof(T) == 8) _mm512_mask_storeu_pd(p, __mmask8(lanes), reinterpret_cast<__m512d>(v));
  else if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, lanes, reinterpret_cast<__m512>(v));
  else _mm256_mask_storeu_epi16(p, lanes, reinterpret_cast<__m256i>(to_halves<T>(v)));
#else
  alignas(64) unsigned char bytes[kVectorBytes];
  store(reinterpret_cast<T*>(bytes), v);
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(p + i, bytes + i * int64_t(sizeof(T)), sizeof(T));
#endif
}

// f(l, n) for groups of n <= kLanes consecutive elements that cover [0, count): n is a compile-time kLanes but in the last one.
template <class A, class F>
VOXGRAD_INLINE void for_lanes(int64_t count, F&& f) {
  int64_t l = 0;
  for (; l + kLanes<A> <= count; l += kLanes<A>) f(l, std::integral_constant<int, kLanes<A>>{});
  if (l < count) f(l, count - l);
}
template <class T, class N>
VOXGRAD_INLINE Vector<accum_t<T>> load(const T* p, N n) {
  if constexpr (std::is_same_v<N, std::integral_constant<int, kLanes<accum_t<T>>>>) return load(p);
  else return load_some(p, n);
}
template <class T, class N>
VOXGRAD_INLINE void store(T* p, Vector<accum_t<T>> v, N n) {
  if constexpr (std::is_same_v<N, std::integral_constant<int, kLanes<accum_t<T>>>>) store(p, v);
  else store_some(p, v, n);
}

// Sum and maximum over the lanes, in a fixed tree.
template <class A>
VOXGRAD_INLINE A sum_lanes(Vector<A> v) {
  alignas(64) A a[kLanes<A>];
  store(a, v);
  for (int width = kLanes<A> / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) a[i] += a[i + width];
  return a[0];
}
