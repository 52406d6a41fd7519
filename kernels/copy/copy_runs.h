#pragma once
#include <cstdint>
#include <cstring>

namespace voxgrad {

namespace detail {
template <int kRun, class E>
void copy_runs_of(const E* from, int64_t from_stride, E* into, int64_t into_stride, int64_t count, int64_t run) {
  const size_t bytes = size_t(kRun ? kRun : run) * sizeof(E);
  for (int64_t i = 0; i < count; ++i) std::memcpy(into + i * into_stride, from + i * from_stride, bytes);
}
}  // namespace detail

// into[i into_stride + j] = from[i from_stride + j] for i < count, j < run; the usual numbers of channels are constants to the compiler.
template <class E>
void copy_runs(const E* from, int64_t from_stride, E* into, int64_t into_stride, int64_t count, int64_t run) {
  switch (run) {
    case 1: return detail::copy_runs_of<1>(from, from_stride, into, into_stride, count, run);
    case 2: return detail::copy_runs_of<2>(from, from_stride, into, into_stride, count, run);
    case 3: return detail::copy_runs_of<3>(from, from_stride, into, into_stride, count, run);
    case 4: return detail::copy_runs_of<4>(from, from_stride, into, into_stride, count, run);
    case 8: return detail::copy_runs_of<8>(from, from_stride, into, into_stride, count, run);
    case 16: return detail::copy_runs_of<16>(from, from_stride, into, into_stride, count, run);
    case 32: return detail::copy_runs_of<32>(from, from_stride, into, into_stride, count, run);
    default: return detail::copy_runs_of<0>(from, from_stride, into, into_stride, count, run);
  }
}

}  // namespace voxgrad
