#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/argmax/argmax_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14, kColumns = 256;

template <bool kSmallest, class T, class I>
void places_of(const ReduceRuns& p, const T* x, T* values, I* indices) {
  using A = accum_t<T>;
  const int64_t tiles = chunk_count(p.inner, kColumns), most = std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced);
  parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / most), [&](int64_t task) {
    const int64_t o = task / tiles, first = task % tiles * kColumns, width = std::min(kColumns, p.inner - first);
    const T* const from = x + o * p.reduced * p.inner + first;
    A best[kColumns];
    I at[kColumns] = {};
    for (int64_t j = 0; j < width; ++j) best[j] = A(from[j]);
    for (int64_t r = 1; r < p.reduced; ++r)
      for (int64_t j = 0; j < width; ++j) {
        const A v = A(from[r * p.inner + j]);
        const bool better = bool((kSmallest ? v < best[j] : v > best[j]) | ((v != v) & (best[j] == best[j])));
        best[j] = better ? v : best[j];
        at[j] = better ? I(r) : at[j];
      }
    const int64_t into = o * p.inner + first;
    for (int64_t j = 0; j < width; ++j) indices[into + j] = at[j];
    for (int64_t j = 0; j < width && values; ++j) values[into + j] = T(best[j]);
  });
}

}  // namespace

void extreme_places(Cpu, const ReduceRuns& p, bool smallest, View x, View values, View indices) {
  on_dtype(x.dtype, [&]<class T>() {
    const auto go = [&]<class I>(I* into) {
      smallest ? places_of<true>(p, x.as<T>(), values.as<T>(), into) : places_of<false>(p, x.as<T>(), values.as<T>(), into);
    };
    indices.dtype == DType::i32 ? go(indices.as<int32_t>()) : go(indices.as<int64_t>());
  });
}

}  // namespace voxgrad
