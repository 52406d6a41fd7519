#pragma once
#include "core/device/execution.h"
#include "core/dtype.h"

// Kernels for tests/cuda/hopper_cuda_test.cpp: one instruction of sm_90a each, as core/cuda/transactions.h and wgmma.h say it works.
namespace voxgrad {

// Where an operand of a product lies in the image of shared memory that holds it.
struct OperandPlace {
  int first = 0, across = 0, down = 0;  // bytes
  int swizzle = 0;                      // as in Swizzle
  int step = 0;                         // bytes from one 32 bytes of k to the next
};

inline constexpr int kImageBytes = 24 << 10;  // of each operand
// d {64, columns} = the product of `steps` times 32 bytes of k, of operands that lie in images of shared memory. before: added to, where
// not null.
void multiply_images(Cuda, DType, int columns, int steps, const void* image_a, OperandPlace, const void* image_b, OperandPlace,
                     const float* before, float* d);
// d {64, columns} = a b of `steps` times 32 bytes of k: a {64, k} of the dtype in global memory, held in registers, b in an image: of
// 16-bit types rows of k.
void multiply_held(Cuda, DType, int columns, int steps, const void* a, const void* image_b, OperandPlace, float* d);

// Each of two blocks of a cluster copies its half of n bytes to both of them; y {2, n} what they got.
void copy_to_cluster(Cuda, const void* x, int n, void* y);
// A ring of two buffers that one thread of each of two blocks fills by copies, and the others of both empty: y {2, n} += the sum of the
// rounds of x {rounds, n}.
void sum_ring(Cuda, const int32_t* x, int n, int rounds, int32_t* y);
// Only some warps of a block meet, twice: y[i] = x[63 - i] for i < 64, while others go their way.
void reverse_by_some(Cuda, const float* x, float* y);

}  // namespace voxgrad
