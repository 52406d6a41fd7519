#pragma once
// What nvcc puts in front of every .cu file, for g++: keywords, indices and built-in functions of CUDA. Compile .cu files with
// -x c++ -include tests/emulator/builtins.h. Atomics are of integers alone: sums of floats in the order of arrival do not repeat.
#include <math.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#include "core/device/execution.h"

#define VOXGRAD_EMULATED_DEVICE 1
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

namespace voxgrad::emulator {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};
struct Shape3 {
  int64_t x, y, z;
};
struct LaunchShape {
  Shape3 blocks;
  int threads;
  int64_t shared;  // dynamic, bytes
  int cluster = 1;  // blocks along x that run together
};

// Puts a launch at the end of the stream: `body` is called once for every thread of every block. `arguments`: the kernel's, as bytes.
void enqueue(const char* kernel, Cuda, const LaunchShape&, std::function<void()> body, const void* arguments, size_t bytes);

template <class... P, class... A>
void launch(const char* name, Cuda on, const LaunchShape& shape, void (*kernel)(P...), const A&... args) {
  static_assert((std::is_trivially_copyable_v<P> && ...), "parameters of a kernel are copied as bytes");
  const std::tuple<P...> packed(args...);
  enqueue(name, on, shape, [kernel, packed] { std::apply(kernel, packed); }, &packed, sizeof packed);
}

// The memory of a shared variable in the running block, the same for all its threads.
void* shared_bytes(const char* name, const void* key, size_t bytes, size_t alignment);
unsigned char* dynamic_shared();
template <class T>
T& shared(const char* name, const void* key) {
  return *static_cast<T*>(shared_bytes(name, key, sizeof(T), alignof(T) > 16 ? alignof(T) : 16));
}

// Where in the source a thread waits.
struct Place {
  const char* file;
  int line;
};
void barrier(Place);
// Of so many threads of the block.
void named_barrier(int number, int threads, Place);
// Hands in the operand of this lane, waits for all lanes of the mask, and gives each its result. `combine` runs once, with the operands
// of all lanes; absent lanes have null ones.
using Operands = void* const (&)[32];
void collective(const char* operation, unsigned mask, void* operand, void (*combine)(Operands), Place);

// Puts bits 0 to 31 of `wanted` lane from the operand of lane `source(lane)` where that lies in the mask.
template <class T>
struct Exchange {
  T value, result;
  int source;
};
template <class T>
T exchange(unsigned mask, T value, int source, const char* file, int line) {
  Exchange<T> e{value, value, source};
  collective("shuffle", mask, &e, [](Operands all) {
    for (void* operand : all) {
      if (!operand) continue;
      auto& mine = *static_cast<Exchange<T>*>(operand);
      if (const void* other = all[mine.source]) mine.result = static_cast<const Exchange<T>*>(other)->value;
      else std::memset(&mine.result, 0xff, sizeof(T));  // a lane outside the mask: undefined
    }
  }, {file, line});
  return e.result;
}
int lane_index();
unsigned ballot(unsigned mask, bool predicate, const char* file, int line);

}  // namespace voxgrad::emulator

inline constinit thread_local voxgrad::emulator::Index3 threadIdx{}, blockIdx{}, blockDim{1, 1, 1}, gridDim{1, 1, 1};
inline constexpr int warpSize = 32;

#define VOXGRAD_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(VOXGRAD_HERE) { voxgrad::emulator::barrier({file, line}); }
inline void __syncwarp(unsigned mask = 0xffffffffu, VOXGRAD_HERE) {
  voxgrad::emulator::collective("__syncwarp", mask, &mask, [](voxgrad::emulator::Operands) {}, {file, line});
}
template <class T>
T __shfl_sync(unsigned mask, T v, int source, int width = 32, VOXGRAD_HERE) {
  const int lane = voxgrad::emulator::lane_index(), base = lane / width * width;
  return voxgrad::emulator::exchange(mask, v, base + (source & (width - 1)), file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int bits, int width = 32, VOXGRAD_HERE) {
  const int lane = voxgrad::emulator::lane_index(), base = lane / width * width, source = lane ^ bits;
  return voxgrad::emulator::exchange(mask, v, source < base + width ? source : lane, file, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, int by, int width = 32, VOXGRAD_HERE) {
  const int lane = voxgrad::emulator::lane_index(), end = lane / width * width + width;
  return voxgrad::emulator::exchange(mask, v, lane + by < end ? lane + by : lane, file, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, int by, int width = 32, VOXGRAD_HERE) {
  const int lane = voxgrad::emulator::lane_index(), base = lane / width * width;
  return voxgrad::emulator::exchange(mask, v, lane - by >= base ? lane - by : lane, file, line);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, VOXGRAD_HERE) {
  return voxgrad::emulator::ballot(mask, predicate != 0, file, line);
}
inline int __any_sync(unsigned mask, int predicate, VOXGRAD_HERE) {
  return voxgrad::emulator::ballot(mask, predicate != 0, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, VOXGRAD_HERE) {
  return voxgrad::emulator::ballot(mask, predicate != 0, file, line) == mask;
}
#undef VOXGRAD_HERE

inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
template <class T>
concept AtomicInteger = std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8);
template <AtomicInteger T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
template <AtomicInteger T>
T atomicOr(T* p, std::type_identity_t<T> v) {
  return __atomic_fetch_or(p, v, __ATOMIC_RELAXED);
}
template <AtomicInteger T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return __atomic_exchange_n(p, v, __ATOMIC_RELAXED);
}
template <AtomicInteger T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <AtomicInteger T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (old < v && !__atomic_compare_exchange_n(p, &old, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
  return old;
}
template <AtomicInteger T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (v < old && !__atomic_compare_exchange_n(p, &old, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
  return old;
}

template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __clz(int v) { return std::countl_zero(unsigned(v)); }
inline int __ffs(int v) { return v ? std::countr_zero(unsigned(v)) + 1 : 0; }
inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline float rsqrtf(float v) { return 1.f / sqrtf(v); }
inline float __expf(float v) { return expf(v); }
inline float __logf(float v) { return logf(v); }
template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
