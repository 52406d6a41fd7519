#include <algorithm>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/separable/separable_kernels.h"
#include "kernels/separable/separable_variants.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

// The taps of one channel, padded with weight 0 at an index that the output reads anyway.
template <class A>
struct PaddedTaps {
  int taps = 0;
  std::vector<int32_t> index;
  std::vector<A> weight;

  PaddedTaps(int64_t out, const int32_t* begin, const int32_t* from, const A* weights) {
    int32_t least = 4, most = 1;
    for (int64_t o = 0; o < out; ++o) least = std::min(least, begin[o + 1] - begin[o]), most = std::max(most, begin[o + 1] - begin[o]);
    if (least < 1 || most > 4) return;
    taps = most == 3 ? 4 : most;
    for (int32_t k = 0; k < taps; ++k)
      for (int64_t o = 0; o < out; ++o) {
        const bool real = k < begin[o + 1] - begin[o];
        index.push_back(from[begin[o] + (real ? k : 0)]);
        weight.push_back(real ? weights[begin[o] + k] : A(0));
      }
  }
};

template <class T, class F>
void sum_of(const SeparableSum& p, const AxisTaps (&taps)[3], const T* x, T* y, F&& row_of) {
  using A = accum_t<T>;
  const int32_t *begin_d = taps[0].begin.as<int32_t>(), *begin_h = taps[1].begin.as<int32_t>();
  const int32_t *index_d = taps[0].index.as<int32_t>(), *index_h = taps[1].index.as<int32_t>();
  const A *weight_d = taps[0].weight.as<A>(), *weight_h = taps[1].weight.as<A>();
  const int64_t width = p.in[2] * p.c, out_width = p.out[2] * p.c;
  const int32_t *begin_w = taps[2].begin.as<int32_t>(), *index_w = taps[2].index.as<int32_t>();
  const A* weight_w = taps[2].weight.as<A>();
  const PaddedTaps<A> padded(p.c == 1 ? p.out[2] : 0, begin_w, index_w, weight_w);
  const SeparableRow<T> last = {
      width, p.out[2], p.c, begin_w, index_w, weight_w, p.c == 1 ? padded.taps : 0, padded.index.data(), padded.weight.data()};
  const int64_t rows = p.n * p.out[0] * p.out[1];
  parallel_ranges(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width + out_width)), [&](int64_t begin, int64_t end) {
    std::vector<A> scratch(static_cast<size_t>(width)), weights;
    std::vector<const T*> sources;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t h = r % p.out[1], d = r / p.out[1] % p.out[0], n = r / p.out[1] / p.out[0];
      sources.clear(), weights.clear();
      for (int32_t i = begin_d[d]; i < begin_d[d + 1]; ++i)
        for (int32_t j = begin_h[h]; j < begin_h[h + 1]; ++j) {
          const A weight = weight_d[i] * weight_h[j];
          if (weight == 0) continue;
          sources.push_back(x + ((n * p.in[0] + index_d[i]) * p.in[1] + index_h[j]) * width);
          weights.push_back(weight);
        }
      row_of(last, int(sources.size()), sources.data(), weights.data(), scratch.data(), y + r * out_width);
    }
  });
}

}  // namespace

void separable_sum(Cpu, const SeparableSum& p, const AxisTaps (&taps)[3], View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    const auto with = [&](auto row_of) { sum_of(p, taps, x.as<T>(), y.as<T>(), row_of); };
#define X(SET) with([](const auto&... args) { separable_kernels::SET::separable_row(args...); })
    VOXGRAD_ON_ISA(X);
#undef X
  });
}

}  // namespace voxgrad
