#pragma once
// What .cu files are written with: shared memory, launches, loops over elements. They compile with nvcc and, for a machine without a
// GPU, with g++ against tests/emulator, whose header the build puts in front of every .cu file as nvcc does with its own.
#include <cstdint>

#include "core/cuda/scratch.h"
#include "core/dtype.h"
#include "core/device/execution.h"

#ifdef __CUDACC__
// Shared memory of a block: VOXGRAD_SHARED(float, tile, [32][33]); and its dynamic part, 128-byte aligned, of Grid::shared bytes.
#define VOXGRAD_SHARED(type, name, extents) __shared__ type name extents
#define VOXGRAD_DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]
#else
#define VOXGRAD_SHARED(type, name, extents)     \
  using name##_extents = type extents;          \
  name##_extents& name = ::voxgrad::emulator::shared<name##_extents>(#name, [] { static char key; return &key; }())
#define VOXGRAD_DYNAMIC_SHARED(name) unsigned char* const name = ::voxgrad::emulator::dynamic_shared()
#endif

namespace voxgrad {

// The blocks of a launch, the threads of a block, the bytes of its dynamic shared memory, and the neighbours along x that run together as
// a cluster, of which x is a multiple (sm_90).
struct Grid {
  int64_t x = 1, y = 1, z = 1;
  int threads = 256;
  int64_t shared = 0;
  int cluster = 1;
};

// Blocks enough for n items at one item per thread, and few enough that a thread of a large problem does several.
inline Grid grid_over(int64_t n, int threads = 256) {
  const int64_t blocks = (n + threads - 1) / threads;
  return {.x = blocks < 8192 ? blocks : 8192, .threads = threads};
}

// for (int64_t i : grid_stride(n)) in a kernel: every i in [0, n) once over the whole grid.
struct GridStride {
  int64_t n;
  struct Iterator {
    int64_t i;
    __device__ int64_t operator*() const { return i; }
    __device__ Iterator& operator++() {
      i += int64_t(gridDim.x) * blockDim.x;
      return *this;
    }
    __device__ bool operator!=(Iterator end) const { return i < end.i; }
  };
  __device__ Iterator begin() const { return {blockIdx.x * int64_t(blockDim.x) + threadIdx.x}; }
  __device__ Iterator end() const { return {n}; }
};
__device__ inline GridStride grid_stride(int64_t n) { return {n}; }

// N elements that are loaded and stored as one. The memory is aligned to their size.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T v[N];
};
// How many elements of T one access of 16 bytes holds.
template <class T>
inline constexpr int kPackWidth = 16 / int(sizeof(T));
// Whether all pointers (null ones too) allow accesses of 16 bytes.
template <class... P>
bool aligned_to_16(const P*... p) {
  return ((reinterpret_cast<uintptr_t>(p) % 16 == 0) && ...);
}

namespace detail {
// core/cuda/launch_checks.h, which needs the standard library.
void check_grid(const char* kernel, const int64_t (&blocks)[3], int threads, int64_t shared, int cluster);
void allow_shared(const char* kernel, const void* function, int64_t bytes);
void check_launch(const char* kernel, Cuda);
// For the LaunchLog of the thread, where there is one.
void note_launch(const char* kernel, const void* function, int64_t blocks, int threads, int64_t shared);
int clusters_at_once(Cuda, const void* function, int threads, int64_t shared, int cluster);

template <auto kKernel>
constexpr const char* kernel_text() {
  return __PRETTY_FUNCTION__;
}
}  // namespace detail

// launch<kernel<float>>(on, grid_over(n), arguments of the kernel..): on the stream of `on`. An empty grid does nothing. Names of kernels
// are unique in the whole library: profiles, messages and tests know them by name.
template <auto kKernel, class... A>
void launch(Cuda on, const Grid& g, const A&... args) {
  if (g.x <= 0 || g.y <= 0 || g.z <= 0) return;
  const char* const name = detail::kernel_text<kKernel>();
  detail::check_grid(name, {g.x, g.y, g.z}, g.threads, g.shared, g.cluster);
#ifdef __CUDACC__
  if (g.shared > 48 << 10) detail::allow_shared(name, reinterpret_cast<const void*>(kKernel), g.shared);
  const dim3 blocks(unsigned(g.x), unsigned(g.y), unsigned(g.z));
  if (g.cluster > 1) {
    cudaLaunchAttribute cluster[1];
    cluster[0].id = cudaLaunchAttributeClusterDimension;
    cluster[0].val.clusterDim = {unsigned(g.cluster), 1, 1};
    const cudaLaunchConfig_t shape{blocks, dim3(unsigned(g.threads)), size_t(g.shared), on.stream, cluster, 1};
    cudaLaunchKernelEx(&shape, kKernel, args...);
  } else {
    kKernel<<<blocks, unsigned(g.threads), size_t(g.shared), on.stream>>>(args...);
  }
  detail::check_launch(name, on);
#else
  emulator::launch(name, on, {{g.x, g.y, g.z}, g.threads, g.shared, g.cluster}, kKernel, args...);
#endif
  detail::note_launch(name, reinterpret_cast<const void*>(kKernel), g.x * g.y * g.z, g.threads, g.shared);
}

// How many clusters of such a grid run at once: a cluster lies within a part of the GPU, whose multiprocessors may be no multiple of its
// blocks. 0: none can.
template <auto kKernel>
int clusters_at_once(Cuda on, const Grid& g) {
#ifdef __CUDACC__
  if (g.shared > 48 << 10) detail::allow_shared(detail::kernel_text<kKernel>(), reinterpret_cast<const void*>(kKernel), g.shared);
#endif
  return detail::clusters_at_once(on, reinterpret_cast<const void*>(kKernel), g.threads, g.shared, g.cluster);
}

}  // namespace voxgrad
