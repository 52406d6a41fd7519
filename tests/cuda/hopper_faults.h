#pragma once
#include "core/device/execution.h"

namespace voxgrad {

// What a kernel of sm_90 can do wrong.
enum class HopperFault {
  none,
  early_product,       // multiplies before its operands have arrived
  no_product_fence,    // multiplies without wgmma_fence
  early_read,          // reads a sum before it waits
  early_write,         // writes to one
  early_reload,        // writes to an operand in registers before it waits
  early_copy,          // copies over an operand before it waits for the product
  no_product_wait,     // ends before its products do
  unaligned_matrix,    // a descriptor of an address that is no multiple of 16
  unaligned_pitch,     // or with such a pitch
  warps_differ,        // warps of a warpgroup name different operands
  no_proxy_fence,      // stores an operand by its threads, without fence_proxy
  too_much_expected,   // expects more bytes than are copied
  too_many_arrivals,   // arrives once more
  no_initialisation,   // uses a barrier that is none
  no_barrier,          // uses one that another thread initialised just before
  unaligned_copy,      // copies 24 bytes
  no_copy_wait,        // ends before its copies do
};
// c {64, 32} = a {64, 16} b {32, 16}^T of bf16, which lie as planes of 16 bytes: {2, 64, 8} and {2, 32, 8}.
void multiply_copied(Cuda, const void* a, const void* b, float* c, HopperFault);

}  // namespace voxgrad
