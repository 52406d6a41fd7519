// Stores that no cache keeps, where the instruction set has them for a whole cache line: p is aligned to one. `_mm_sfence()` follows.
//
// store_rounded is store() or, for bf16, the processor's own conversion: to nearest even, NaN stays NaN, subnormals become zeros. Included
// inside the namespace of one instruction set.

template <class T>
VOXGRAD_INLINE void store_past_caches(T* p, Vector<accum_t<T>> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(accum_t<T>)) return _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(v));
#endif
  store(p, v);
}

template <class T>
VOXGRAD_INLINE void store_rounded(T* p, Vector<accum_t<T>> v) {
#if defined(__AVX512BF16__)
  if constexpr (dtype_of<T> == DType::bf16) {
    const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
    return void(__builtin_memcpy(p, &rounded, sizeof rounded));
  }
#endif
  store(p, v);
}
