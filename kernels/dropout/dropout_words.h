// Included inside a namespace per instruction set; see core/device/isa.h. kLanes Philox blocks at a time, one word of each per 64-bit lane,
// in the order of `counters`, which lets `store` write the blocks in theirs. paired: the low halves of two such vectors side by side.
#if defined(__AVX512F__)
constexpr int kLanes = 8;
using Lanes = __m512i;
inline Lanes multiply(Lanes a, Lanes b) { return _mm512_maskz_mul_epu32(0xff, a, b); }
inline Lanes high(Lanes a) { return _mm512_maskz_srli_epi64(0xff, a, 32); }
inline Lanes exclusive(Lanes a, Lanes b) { return _mm512_xor_si512(a, b); }
inline Lanes all(uint32_t v) { return _mm512_set1_epi64(int64_t(v)); }
inline Lanes counters(uint64_t b) { return _mm512_set_epi64(b + 7, b + 3, b + 6, b + 2, b + 5, b + 1, b + 4, b); }
inline Lanes paired(Lanes low, Lanes up) { return _mm512_mask_shuffle_epi32(low, 0xaaaa, up, _MM_PERM_ENUM(0xa0)); }
inline void store(uint32_t* p, Lanes w01, Lanes w23) {
  _mm512_storeu_si512(p, _mm512_maskz_unpacklo_epi64(0xff, w01, w23));
  _mm512_storeu_si512(p + 16, _mm512_maskz_unpackhi_epi64(0xff, w01, w23));
}
#elif defined(__AVX2__)
constexpr int kLanes = 4;
using Lanes = __m256i;
inline Lanes multiply(Lanes a, Lanes b) { return _mm256_mul_epu32(a, b); }
inline Lanes high(Lanes a) { return _mm256_srli_epi64(a, 32); }
inline Lanes exclusive(Lanes a, Lanes b) { return _mm256_xor_si256(a, b); }
inline Lanes all(uint32_t v) { return _mm256_set1_epi64x(int64_t(v)); }
inline Lanes counters(uint64_t b) { return _mm256_set_epi64x(int64_t(b + 3), int64_t(b + 1), int64_t(b + 2), int64_t(b)); }
inline Lanes paired(Lanes low, Lanes up) { return _mm256_blend_epi32(low, _mm256_shuffle_epi32(up, 0xa0), 0xaa); }
inline void store(uint32_t* p, Lanes w01, Lanes w23) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_unpacklo_epi64(w01, w23));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), _mm256_unpackhi_epi64(w01, w23));
}
#else
constexpr int kLanes = 1;
using Lanes = uint64_t;
inline Lanes multiply(Lanes a, Lanes b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
inline Lanes high(Lanes a) { return a >> 32; }
inline Lanes exclusive(Lanes a, Lanes b) { return a ^ b; }
inline Lanes all(uint32_t v) { return v; }
inline Lanes counters(uint64_t b) { return b; }
inline Lanes paired(Lanes low, Lanes up) { return (low & 0xffffffffu) | up << 32; }
inline void store(uint32_t* p, Lanes w01, Lanes w23) {
  p[0] = uint32_t(w01), p[1] = uint32_t(w01 >> 32), p[2] = uint32_t(w23), p[3] = uint32_t(w23 >> 32);
}
#endif

// keep[k] = 1 where word k of the blocks first, first + 1, .. of philox(key, block, stream) is above `last_dropped`, else 0; core/rng.h.
// The upper halves of lanes hold rubbish between rounds, which neither multiply nor paired reads. keep has room for a multiple of
// 4 kLanes words.
inline void keep_of(uint64_t key, uint64_t stream, uint32_t last_dropped, uint64_t first, int64_t blocks, float* keep) {
  for (int64_t b = 0; b < blocks; b += kLanes, keep += 4 * kLanes) {
    const Lanes counter = counters(first + uint64_t(b));
    Lanes c0 = counter, c1 = high(counter), c2 = all(uint32_t(stream)), c3 = all(uint32_t(stream >> 32));
    uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const Lanes a = multiply(all(0xD2511F53u), c0), e = multiply(all(0xCD9E8D57u), c2);
      c0 = exclusive(exclusive(high(e), c1), all(k0));
      c2 = exclusive(exclusive(high(a), c3), all(k1));
      c1 = e;
      c3 = a;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    uint32_t words[4 * kLanes];
    store(words, paired(c0, c1), paired(c2, c3));
    for (int k = 0; k < 4 * kLanes; ++k) keep[k] = words[k] > last_dropped ? 1.f : 0.f;
  }
}
