#pragma once
#include "core/device/execution.h"

// Kernels for tests/cuda/clusters/cluster_cuda_test.cpp: what blocks of a cluster do for each other, as core/cuda/transactions.h says.
namespace voxgrad {

// Each of the blocks of a cluster has its part of n pieces of 16 bytes of x {rounds, n} loaded by its threads and sends it to all others,
// into a buffer that is filled anew when all have read it: y {rounds, blocks, n} what they got.
void exchange_parts(Cuda, int blocks, const void* x, int n, int rounds, void* y);
// Of a cluster of four, each block copies its half of n bytes to itself and to the one two further: x {2, n}, of even and of odd blocks.
// y {4, n} what they got.
void copy_to_every_second(Cuda, const void* x, int n, void* y);
// How many clusters of so many blocks run at once, which take all shared memory of their multiprocessors; 0: none.
int large_clusters_at_once(Cuda, int blocks);

}  // namespace voxgrad
