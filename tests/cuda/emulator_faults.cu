#include "core/cuda/launch.h"
#include "core/cuda/ptx.h"
#include "core/cuda/reduce.h"
#include "tests/cuda/emulator_faults.h"

namespace voxgrad {
namespace {

__global__ void reverse_kernel(const float* x, float* y, bool fault) {
  VOXGRAD_SHARED(float, tile, [64]);
  const int t = int(threadIdx.x);
  const int64_t base = int64_t(blockIdx.x) * 64;
  tile[t] = x[base + t];
  if (!fault) __syncthreads();
  y[base + t] = tile[63 - t];
}

__global__ void copy_some_kernel(int64_t n, const float* x, float* y, int fault) {
  for (int64_t i : grid_stride(n)) y[i] = x[i];
  if (threadIdx.x == 0 && fault == 1) y[0] += x[n];
  if (threadIdx.x == 0 && fault == 2) y[n] = 1;
}

__global__ void copy_asynchronously_kernel(const float* x, int valid, float* y, bool fault) {
  VOXGRAD_SHARED(float, tile, [128]);
  const int t = int(threadIdx.x) * 4;
  tile[t] = tile[t + 1] = tile[t + 2] = tile[t + 3] = 7;
  cp_async_16(SharedAddress(tile + t), x + t, t < valid);
  cp_async_commit();
  if (!fault) cp_async_wait<0>();
  for (int k = 0; k < 4; ++k) y[t + k] = tile[t + k];
  if (fault) cp_async_wait<0>();
}

template <class T>
__global__ void multiply_tile_kernel(const T* a, const T* b, float* c, bool fault) {
  VOXGRAD_SHARED(T, tile, [16][16]);
  const int lane = int(threadIdx.x);
  for (int i = lane; i < 256; i += 32) tile[i / 16][i % 16] = a[i];
  __syncwarp();
  uint32_t fa[4], fb[2];
  const int row = fault ? lane / 16 * 8 + lane % 8 : lane % 16, column = fault ? lane / 8 % 2 * 8 : lane / 16 * 8;
  ldmatrix_x4(fa, SharedAddress(&tile[row][column]));
  for (int r = 0; r < 2; ++r) {
    const int k = lane % 4 * 2 + r * 8, n = lane / 4;
    fb[r] = b[k * 8 + n].bits | uint32_t(b[(k + 1) * 8 + n].bits) << 16;
  }
  float d[4] = {};
  mma_of<T>(d, fa, fb);
  for (int r = 0; r < 4; ++r) c[(lane / 4 + r / 2 * 8) * 8 + lane % 4 * 2 + r % 2] = d[r];
}

__global__ void multiply_tile_tf32_kernel(const float* a, const float* b, float* c) {
  const int lane = int(threadIdx.x);
  uint32_t fa[4], fb[2];
  for (int r = 0; r < 4; ++r) fa[r] = tf32_of(a[(lane / 4 + r % 2 * 8) * 8 + lane % 4 + r / 2 * 4]);
  for (int r = 0; r < 2; ++r) fb[r] = tf32_of(b[(lane % 4 + r * 4) * 8 + lane / 4]);
  float d[4] = {};
  mma_tf32(d, fa, fb);
  for (int r = 0; r < 4; ++r) c[(lane / 4 + r / 2 * 8) * 8 + lane % 4 * 2 + r % 2] = d[r];
}

__global__ void meet_kernel(int fault) {
  if (fault == 0 || threadIdx.x < 64) {
    __syncthreads();
  } else if (fault == 1) {
    __syncthreads();
  } else if (threadIdx.x % 32 != 0) {
    __syncwarp();
  }
}

__global__ void sum_warp_kernel(const float* x, float* y, bool fault) {
  if (fault && threadIdx.x == 3) return;
  const float sum = warp_sum(x[threadIdx.x]);
  if (threadIdx.x == 0) y[0] = sum;
}

__global__ void overrun_shared_kernel(float* y) {
  VOXGRAD_SHARED(float, tile, [32]);
  float* const p = tile;  // whose bounds no compiler knows
  p[threadIdx.x] = 1;
  y[threadIdx.x] = p[threadIdx.x];
}

__global__ void count_values_kernel(int64_t n, const uint8_t* x, int32_t* y) {
  for (int64_t i : grid_stride(n)) atomicAdd(&y[x[i]], 1);
}

__global__ void add_one_kernel(int64_t n, const float* x, float* y) {
  for (int64_t i : grid_stride(n)) y[i] = x[i] + 1;
}

}  // namespace

void reverse_blocks(Cuda on, int64_t blocks, const float* x, float* y, bool fault) {
  launch<reverse_kernel>(on, {.x = blocks, .threads = 64}, x, y, fault);
}
void copy_some(Cuda on, int64_t n, const float* x, float* y, int fault) {
  launch<copy_some_kernel>(on, {.threads = 32}, n, x, y, fault);
}
void copy_asynchronously(Cuda on, const float* x, int valid, float* y, bool fault) {
  launch<copy_asynchronously_kernel>(on, {.threads = 32}, x, valid, y, fault);
}
void multiply_tile(Cuda on, DType t, const void* a, const void* b, float* c, bool fault) {
  const auto go = [&]<class T>() {
    launch<multiply_tile_kernel<T>>(on, {.threads = 32}, static_cast<const T*>(a), static_cast<const T*>(b), c, fault);
  };
  t == DType::bf16 ? go.template operator()<bf16>() : go.template operator()<f16>();
}
void multiply_tile_tf32(Cuda on, const float* a, const float* b, float* c) {
  launch<multiply_tile_tf32_kernel>(on, {.threads = 32}, a, b, c);
}
void meet(Cuda on, int fault) { launch<meet_kernel>(on, {.threads = 128}, fault); }
void sum_warp(Cuda on, const float* x, float* y, bool fault) { launch<sum_warp_kernel>(on, {.threads = 32}, x, y, fault); }
void overrun_shared(Cuda on, float* y) { launch<overrun_shared_kernel>(on, {.threads = 64}, y); }
void count_values(Cuda on, int64_t n, const uint8_t* x, int32_t* y) { launch<count_values_kernel>(on, {.x = 4, .threads = 64}, n, x, y); }
void launch_too_many_threads(Cuda on, float* y) { launch<add_one_kernel>(on, {.threads = 2048}, int64_t(1), y, y); }
void add_one(Cuda on, int64_t n, const float* x, float* y) { launch<add_one_kernel>(on, grid_over(n), n, x, y); }

}  // namespace voxgrad
