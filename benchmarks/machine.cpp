// What the machine can do at most: multiply-adds in registers, and copies of memory.
#include <immintrin.h>

#include <cstring>

#include "benchmarks/bench.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad::bench {
namespace {

constexpr int kChains = 12;  // independent, to hide the latency

// sum = sum * b + a in registers; `bytes` is the width of a vector.
#define FMA_LOOP(name, bytes, attribute)                                                                                         \
  attribute void name(int64_t rounds) {                                                                                          \
    typedef float V __attribute__((vector_size(bytes)));                                                                         \
    V sum[kChains], a = V{} + 1e-9f, b = V{} + 0.5f;                                                                             \
    for (int j = 0; j < kChains; ++j) sum[j] = V{} + float(j);                                                                   \
    for (int64_t i = 0; i < rounds; ++i) { _Pragma("GCC unroll 12") for (int j = 0; j < kChains; ++j) sum[j] = sum[j] * b + a; } \
    volatile float sink = 0;                                                                                                     \
    for (auto& v : sum) sink = sink + v[0];                                                                                      \
  }
FMA_LOOP(multiply_add_baseline, 16, )
FMA_LOOP(multiply_add_avx2, 32, __attribute__((target("avx2,fma"), optimize("fp-contract=fast"))))
FMA_LOOP(multiply_add_avx512, 64, __attribute__((target("avx512f,prefer-vector-width=512"), optimize("fp-contract=fast"))))

// Products of pairs of bf16 added to f32: 4 operations per lane.
__attribute__((target("avx512f,avx512bf16"))) void multiply_add_bf16(int64_t rounds) {
  __m512 sum[kChains];
  const __m512bh a = (__m512bh)_mm512_set1_epi32(0x3c003c00), b = (__m512bh)_mm512_set1_epi32(0x3f003f00);
  for (int j = 0; j < kChains; ++j) sum[j] = _mm512_set1_ps(float(j));
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sum[j] = _mm512_dpbf16_ps(sum[j], a, b);
  }
  volatile float sink = 0;
  for (auto& v : sum) sink = sink + v[0];
}

struct Peak {
  void (*loop)(int64_t rounds);
  double flops;  // of one round
};
Peak peak_of(DType t) {
  const Isa best = isa();
  if (t == DType::bf16 && best >= Isa::avx512_bf16) return {multiply_add_bf16, kChains * 16 * 4};
  if (best >= Isa::avx512) return {multiply_add_avx512, kChains * 16 * 2};
  return best == Isa::avx2 ? Peak{multiply_add_avx2, kChains * 8 * 2} : Peak{multiply_add_baseline, kChains * 4 * 2};
}

}  // namespace

void add_machine_cases(const Sizes& sizes, std::vector<Case>& cases) {
  const int64_t rounds = sizes.tiny ? 1 << 10 : 1 << 21, bytes = sizes.tiny ? 1 << 16 : 256 << 20;
  cases.push_back({.group = "machine",
                   .name = "multiply-add",
                   .work = {{"op", "multiply_add"}},
                   .dtypes = {DType::f32, DType::bf16},
                   .prepare = [rounds](const Setting& s) {
                     const Peak peak = peak_of(s.dtype);
                     const auto run = [=] { parallel_for(s.threads, 1, [&](int64_t) { peak.loop(rounds); }); };
                     return Job{.contenders = {{"voxgrad", run}}, .flops = double(rounds) * peak.flops * s.threads};
                   },
                   .of_cpu = true});
  cases.push_back({.group = "machine",
                   .name = "copy",
                   .work = {{"op", "memory_copy"}, {"bytes", bytes}},
                   .dtypes = {DType::f32},
                   .prepare = [bytes](const Setting& s) {
                     const Tensor from = Tensor::zeros({bytes}, DType::u8, s.device), to = Tensor::zeros({bytes}, DType::u8, s.device);
                     if (!s.device.is_cpu()) {
                       const auto there = [=] { to.copy_from(from); };
                       return Job{.contenders = {{"voxgrad", there}}, .bytes = 2.0 * double(bytes)};
                     }
                     const auto run = [=] {
                       parallel_ranges(bytes, 1 << 16, [&](int64_t begin, int64_t end) {
                         std::memcpy(to.view().as<char>() + begin, from.view().as<char>() + begin, size_t(end - begin));
                       });
                     };
                     return Job{.contenders = {{"voxgrad", run}}, .bytes = 2.0 * double(bytes)};
                   }});
}

}  // namespace voxgrad::bench
