#include "core/cuda/launch.h"
#include "kernels/sort/sort_formulas.h"
#include "kernels/sort/sort_kernels.h"

namespace voxgrad {
namespace {

constexpr int kRun = 256;

// Runs of kRun elements of a row in order: the rank of an element is the number of those that stand before it. A block per run.
template <class T>
__global__ void sort_runs_kernel(SortedAxis p, int64_t runs, const T* x, int64_t* positions) {
  using K = sort_key_t<T>;
  VOXGRAD_SHARED(K, keys, [kRun]);
  const int64_t row = int64_t(blockIdx.x) / runs, first = (int64_t(blockIdx.x) - row * runs) * kRun;
  const int64_t at = row / p.inner * p.extent * p.inner + row % p.inner;
  const int count = int(p.extent - first < kRun ? p.extent - first : kRun), t = int(threadIdx.x);
  if (t < count) keys[t] = K(x[at + (first + t) * p.inner]);
  __syncthreads();
  if (t >= count) return;
  int rank = 0;
  const K own = keys[t];
  for (int u = 0; u < t; ++u) rank += !sorts_before(own, keys[u], p.descending);
  for (int u = t + 1; u < count; ++u) rank += sorts_before(keys[u], own, p.descending);
  positions[at + (first + rank) * p.inner] = first + t;
}

// Pairs of neighbouring runs of `width` become one run: to its place in its own run an element adds the number of those of the other run
// that stand before it. Of equal ones the left run's stand first.
template <class T>
__global__ void sort_merge_kernel(SortedAxis p, int64_t width, const T* x, const int64_t* from, int64_t* into) {
  using K = sort_key_t<T>;
  for (int64_t item : grid_stride(p.outer * p.extent * p.inner)) {
    const int64_t i = item % p.inner, r = item / p.inner % p.extent, row = item / p.inner / p.extent * p.extent * p.inner + i;
    const int64_t start = r / (2 * width) * (2 * width), mid = start + width < p.extent ? start + width : p.extent;
    const int64_t end = start + 2 * width < p.extent ? start + 2 * width : p.extent;
    const bool left = r < mid;
    const int64_t position = from[item], others = left ? mid : start;
    const K own = K(x[row + position * p.inner]);
    int64_t low = others, high = left ? end : mid;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const K key = K(x[row + from[row + middle * p.inner] * p.inner]);
      const bool first = left ? sorts_before(key, own, p.descending) : !sorts_before(own, key, p.descending);
      if (first) low = middle + 1;
      else high = middle;
    }
    const int64_t place = (left ? r : start + (r - mid)) + (low - others);
    into[row + place * p.inner] = position;
  }
}

__global__ void sort_first_kernel(SortedAxis p, int64_t count, const int64_t* from, int64_t* into) {
  for (int64_t item : grid_stride(p.outer * count * p.inner)) {
    const int64_t i = item % p.inner, j = item / p.inner % count, o = item / p.inner / count;
    into[item] = from[(o * p.extent + j) * p.inner + i];
  }
}

template <class T>
void positions_of(Cuda on, const SortedAxis& p, const T* x, int64_t* positions) {
  const int64_t n = p.outer * p.extent * p.inner, runs = (p.extent + kRun - 1) / kRun;
  if (n == 0) return;
  int passes = 0;
  for (int64_t width = kRun; width < p.extent; width *= 2) ++passes;
  const Scratch other(on, (passes > 0 ? n : 1) * int64_t(sizeof(int64_t)));
  int64_t* from = passes % 2 ? other.as<int64_t>() : positions;
  int64_t* into = passes % 2 ? positions : other.as<int64_t>();
  launch<sort_runs_kernel<T>>(on, {.x = p.outer * p.inner * runs, .threads = kRun}, p, runs, x, from);
  for (int64_t width = kRun; width < p.extent; width *= 2) {
    launch<sort_merge_kernel<T>>(on, grid_over(n), p, width, x, static_cast<const int64_t*>(from), into);
    int64_t* const done = into;
    into = from;
    from = done;
  }
}

}  // namespace

void argsort(Cuda on, const SortedAxis& p, View x, View positions) {
  on_any_dtype(x.dtype, [&]<class T>() { positions_of(on, p, static_cast<const T*>(x.as<T>()), positions.as<int64_t>()); });
}

void argsort_first(Cuda on, const SortedAxis& p, int64_t count, View x, View positions) {
  const Scratch all(on, (p.outer * p.extent * p.inner + 1) * int64_t(sizeof(int64_t)));
  argsort(on, p, x, View{all.as<void>(), DType::i64});
  launch<sort_first_kernel>(on, grid_over(p.outer * count * p.inner), p, count, static_cast<const int64_t*>(all.as<int64_t>()),
                            positions.as<int64_t>());
}

}  // namespace voxgrad
