#pragma once
#include <algorithm>
#include <cstdint>
#include <exception>

namespace voxgrad {

// Threads that kernels called from this thread use. Starts as VOXGRAD_THREADS or, without it, the number of cores. No result depends on it.
int threads();
void set_threads(int count);

namespace detail {
// Calls body(data, worker) for worker in [0, workers) on a team of threads; rethrows the first exception.
void run_team(int workers, void (*body)(void*, int), void* data);
template <class F>
void team(int workers, F& f) {
  run_team(
      workers, [](void* data, int worker) { (*static_cast<F*>(data))(worker); }, &f);
}
}  // namespace detail

// f(begin, end) over a static partition of [0, n); runs inline where fewer than 2 * grain items are there to share.
template <class F>
void parallel_ranges(int64_t n, int64_t grain, F&& f) {
  if (n <= 0) return;
  const int64_t most = std::max<int64_t>(1, n / std::max<int64_t>(1, grain));
  const int workers = int(std::min<int64_t>(threads(), most));
  if (workers <= 1) return void(f(int64_t(0), n));
  auto part = [&](int worker) {
    const int64_t begin = n * worker / workers, end = n * (worker + 1) / workers;
    if (begin < end) f(begin, end);
  };
  detail::team(workers, part);
}

// f(i) for i in [0, n). `grain`: how many items are worth a thread.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  parallel_ranges(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

// f(chunk, begin, end) over chunks of a size that does not depend on the number of threads. Partial results kept per chunk and
// combined in the order of the chunks are bitwise the same for any number of threads.
inline int64_t chunk_count(int64_t n, int64_t chunk) { return (n + chunk - 1) / chunk; }
template <class F>
void parallel_chunks(int64_t n, int64_t chunk, F&& f) {
  parallel_for(chunk_count(n, chunk), 1, [&](int64_t c) { f(c, c * chunk, std::min(n, (c + 1) * chunk)); });
}

}  // namespace voxgrad
