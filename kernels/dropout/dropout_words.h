// Included inside a namespace per instruction set; see core/isa.h. kLanes Philox blocks at a time, one per 64-bit lane.
#if defined(__AVX512F__)
constexpr int kLanes = 8;
using Lanes = __m512i;
inline Lanes multiply(Lanes a, Lanes b) { return _mm512_maskz_mul_epu32(0xff, a, b); }
inline Lanes high(Lanes a) { return _mm512_maskz_srli_epi64(0xff, a, 32); }
inline Lanes exclusive(Lanes a, Lanes b) { return _mm512_xor_si512(a, b); }
inline Lanes all(uint32_t v) { return _mm512_set1_epi64(int64_t(v)); }
inline Lanes load(const uint64_t* p) { return _mm512_loadu_si512(p); }
inline void store(uint64_t* p, Lanes v) { _mm512_storeu_si512(p, v); }
#elif defined(__AVX2__)
constexpr int kLanes = 4;
using Lanes = __m256i;
inline Lanes multiply(Lanes a, Lanes b) { return _mm256_mul_epu32(a, b); }
inline Lanes high(Lanes a) { return _mm256_srli_epi64(a, 32); }
inline Lanes exclusive(Lanes a, Lanes b) { return _mm256_xor_si256(a, b); }
inline Lanes all(uint32_t v) { return _mm256_set1_epi64x(int64_t(v)); }
inline Lanes load(const uint64_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void store(uint64_t* p, Lanes v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
#else
constexpr int kLanes = 1;
using Lanes = uint64_t;
inline Lanes multiply(Lanes a, Lanes b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
inline Lanes high(Lanes a) { return a >> 32; }
inline Lanes exclusive(Lanes a, Lanes b) { return a ^ b; }
inline Lanes all(uint32_t v) { return v; }
inline Lanes load(const uint64_t* p) { return *p; }
inline void store(uint64_t* p, Lanes v) { *p = v; }
#endif

// Words [0, 4 blocks) of the blocks first, first + 1, .. of philox(key, ., stream): core/rng.h. Upper halves of lanes hold rubbish
// between rounds, which the multiplication does not read.
inline void words_of(uint64_t key, uint64_t stream, uint64_t first, int64_t blocks, uint32_t* out) {
  for (int64_t b = 0; b < blocks; b += kLanes) {
    uint64_t counter[kLanes], word[4][kLanes];
    for (int k = 0; k < kLanes; ++k) counter[k] = first + uint64_t(b + k);
    Lanes c0 = load(counter), c1 = high(c0), c2 = all(uint32_t(stream)), c3 = all(uint32_t(stream >> 32));
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
    store(word[0], c0), store(word[1], c1), store(word[2], c2), store(word[3], c3);
    for (int k = 0; k < kLanes && b + k < blocks; ++k)
      for (int w = 0; w < 4; ++w) out[(b + k) * 4 + w] = uint32_t(word[w][k]);
  }
}
