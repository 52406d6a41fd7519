#pragma once
#include "core/device/execution.h"
#include "core/view.h"

// Kernels for tests/cuda/emulator_test.cpp: each right, and with one fault planted.
namespace voxgrad {

// y[b 64 + i] = x[b 64 + 63 - i] through shared memory, without the barrier between writing and reading where `fault`.
void reverse_blocks(Cuda, int64_t blocks, const float* x, float* y, bool fault);
// y[i] = x[i] for i < n in one block; one element past the end is read (fault 1) or written (fault 2) too.
void copy_some(Cuda, int64_t n, const float* x, float* y, int fault);
// y[i] = x[i] for 128 floats, by cp.async into shared memory; without the wait where `fault`. Elements from `valid` on are zeros.
void copy_asynchronously(Cuda, const float* x, int valid, float* y, bool fault);
// c {16, 8} = a {16, 16} b {16, 8} by one mma.m16n8k16, a through ldmatrix; with the rows of a in the wrong halves where `fault`.
void multiply_tile(Cuda, DType, const void* a, const void* b, float* c, bool fault);
// The same, {16, 8} = {16, 8} {8, 8}, of f32 rounded to tf32.
void multiply_tile_tf32(Cuda, const float* a, const float* b, float* c);
// Half of the threads of a block meet a barrier (0: all), in another branch than the others (1) or while these
// wait for lanes that have ended (2).
void meet(Cuda, int fault);
// A sum over the warp by shuffles; where `fault`, lane 3 stays away.
void sum_warp(Cuda, const float* x, float* y, bool fault);
// Writes past the end of a shared array.
void overrun_shared(Cuda, float* y);
// y = how often each of 4 values occurs in x, by integer atomics.
void count_values(Cuda, int64_t n, const uint8_t* x, int32_t* y);
// A launch of 2048 threads per block.
void launch_too_many_threads(Cuda, float* y);
// y[i] = x[i] + 1, elementwise.
void add_one(Cuda, int64_t n, const float* x, float* y);

}  // namespace voxgrad
