#pragma once
// Loops of kernels that treat all elements alike, 16 bytes per access where the pointers allow it.
#include "core/cuda/launch.h"

namespace voxgrad {

template <int N>
struct Width {
  static constexpr int value = N;
};

// The n elements of a loop over packs of N: the first N * packs of them in packs, the others one by one.
template <int N>
struct PackLoop {
  int64_t n, packs;
};
// For the pointers that are accessed in packs of N.
template <int N, class... P>
PackLoop<N> pack_loop(int64_t n, const P*... pointers) {
  return {n, aligned_to_16(pointers...) ? n / N : 0};
}
template <int N>
Grid grid_over(const PackLoop<N>& loop) {
  return grid_over(loop.packs > 0 ? loop.packs : loop.n);
}
// f(i, Width<N>) for packs that start at element i, f(i, Width<1>) for the rest.
template <int N, class F>
__device__ void for_packs(const PackLoop<N>& loop, F f) {
  for (int64_t p : grid_stride(loop.packs)) f(p * N, Width<N>{});
  const int64_t done = loop.packs * N;
  for (int64_t i : grid_stride(loop.n - done)) f(done + i, Width<1>{});
}

template <int N, class T>
__device__ Pack<T, N> load_pack(const T* p) {
  return *reinterpret_cast<const Pack<T, N>*>(p);
}
template <int N, class T>
__device__ void store_pack(T* p, const Pack<T, N>& v) {
  *reinterpret_cast<Pack<T, N>*>(p) = v;
}

// f(Width<N>{}), N the channels of one access: a pack where all pointers and the number of channels allow it, else 1.
template <class T, class F, class... P>
void on_channel_width(int64_t channels, F&& f, const P*... pointers) {
  channels % kPackWidth<T> == 0 && aligned_to_16(pointers...) ? f(Width<kPackWidth<T>>{}) : f(Width<1>{});
}

}  // namespace voxgrad
