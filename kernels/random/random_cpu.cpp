#include "core/device/parallel.h"
#include "kernels/random/random_formulas.h"
#include "kernels/random/random_isa.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 12;

// f(at, n, word0, word1) over spans of [0, count), with the words of their elements.
template <class F>
void over_words(uint64_t key, uint64_t stream, int64_t count, F&& f) {
  const auto words = VOXGRAD_BY_ISA(random_kernels, words);
  parallel_ranges(count, kGrain, [&](int64_t begin, int64_t end) {
    uint32_t word0[kSpan], word1[kSpan];
    for_spans(begin, end, [&](int64_t at, int64_t n) {
      words(key, stream, uint64_t(at), n, word0, word1);
      f(at, n, word0, word1);
    });
  });
}

}  // namespace

void fill_random(Cpu, const RandomFill& fill, View p, View y) {
  const auto normals = VOXGRAD_BY_ISA(random_kernels, normals);
  on_dtype(y.dtype, [&]<class T>() {
    const T* const chances = p.as<T>();
    over_words(fill.key, fill.stream, fill.n, [=, f = fill](int64_t at, int64_t n, const uint32_t* word0, const uint32_t* word1) {
      T* const to = y.as<T>() + at;
      if (f.kind == RandomKind::uniform) {
        for (int64_t i = 0; i < n; ++i) to[i] = uniform_element<T>(f, word0[i], word1[i]);
      } else if (f.kind == RandomKind::normal) {
        float z[kSpan];
        normals(word0, word1, n, z);
        for (int64_t i = 0; i < n; ++i) to[i] = normal_element<T>(f, z[i]);
      } else {
        for (int64_t i = 0; i < n; ++i) to[i] = bernoulli_element<T>(word0[i], chances ? double(accum_t<T>(chances[at + i])) : f.b);
      }
    });
  });
}

void fill_integers(Cpu, const RandomIntegers& f, View y) {
  on_any_dtype(y.dtype, [&]<class T>() {
    over_words(f.key, f.stream, f.n, [=](int64_t at, int64_t n, const uint32_t* word0, const uint32_t* word1) {
      for (int64_t i = 0; i < n; ++i) y.as<T>()[at + i] = T(integer_element(f, word0[i], word1[i]));
    });
  });
}

}  // namespace voxgrad
