#pragma once
// Tensors of which sm_90 copies boxes (box_copy in core/cuda/transactions.h).
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// How 16-byte pieces of the rows of a matrix are placed: those of a row that is 32, 64 or 128 bytes long lie where the bits of the address
// from 4 on are xor those from 7 on (one, two or three of them).
enum class Swizzle { none = 0, bytes128 = 1, bytes64 = 2, bytes32 = 3 };
constexpr int swizzle_width(Swizzle s) { return s == Swizzle::none ? 16 : 256 >> int(s); }  // bytes of a row

// A tensor in global memory and a box of it that a copy takes, zeros where that lies outside. Axes go from the fastest one on; those that
// there are not have the extent 1.
struct BoxedTensor {
  const void* address = nullptr;
  DType dtype = DType::f32;
  bool tf32 = false;  // f32 is rounded to tf32 on the way
  int64_t extent[5] = {1, 1, 1, 1, 1};
  int64_t stride[5] = {0, 16, 16, 16, 16};  // bytes from one element to the next; along the first axis they lie side by side
  int box[5] = {1, 1, 1, 1, 1};             // elements that are copied
  int step[5] = {1, 1, 1, 1, 1};            // from one of them to the next
  Swizzle swizzle = Swizzle::none;          // of the rows of the box in shared memory, which are as long as that says

  int64_t bytes() const { return int64_t(box[0]) * box[1] * box[2] * box[3] * box[4] * int64_t(size_of(dtype)); }  // of a box
};

// What a kernel is given of it, as a parameter `const __grid_constant__`.
struct alignas(128) TensorMap {
  uint64_t words[16];
};
// Throws Error where the hardware allows no such boxes.
TensorMap tensor_map(const BoxedTensor&);

namespace detail {
// What holds for every device: throws Error.
void check_boxes(const BoxedTensor&);
}  // namespace detail

}  // namespace voxgrad
