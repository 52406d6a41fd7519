#include "kernels/argmax/argmax_kernels.h"
#include "kernels/reduce/run_tiles.h"

namespace voxgrad {
namespace {

constexpr int64_t kColumns = 256;

template <bool kSmallest, class T, class I>
void places_of(const ReduceRuns& p, const T* x, T* values, I* indices) {
  using A = accum_t<T>;
  over_run_tiles(p, kColumns, [&](int64_t begin, int64_t into, int64_t width, int64_t row, auto column) {
    const T* const from = x + begin;
    A best[kColumns];
    I at[kColumns] = {};
    for (int64_t j = 0; j < width; ++j) best[j] = A(from[j * column]);
    for (int64_t r = 1; r < p.reduced; ++r)
      for (int64_t j = 0; j < width; ++j) {
        const A v = A(from[r * row + j * column]);
        const bool better = bool((kSmallest ? v < best[j] : v > best[j]) | ((v != v) & (best[j] == best[j])));
        best[j] = better ? v : best[j];
        at[j] = better ? I(r) : at[j];
      }
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
