// What boxes of tensors can be, for either body of tensor_map().
#include "core/cuda/tensor_map.h"

#include "core/error.h"

namespace voxgrad {

void detail::check_boxes(const BoxedTensor& t) {
  constexpr int64_t kMostExtent = int64_t(1) << 32, kMostStride = int64_t(1) << 40;
  constexpr int kMostBox = 256, kMostStep = 8;
  const int64_t element = int64_t(size_of(t.dtype)), row = t.box[0] * element;
  check(reinterpret_cast<uintptr_t>(t.address) % 16 == 0, "tensor map: the tensor begins at an address that is not a multiple of 16");
  check(t.dtype == DType::f32 || !t.tf32, "tensor map: elements of ", name_of(t.dtype), " as tf32, which f32 alone can be");
  for (int a = 0; a < 5; ++a) {
    check(t.extent[a] >= 1 && t.extent[a] <= kMostExtent, "tensor map: ", t.extent[a], " elements along axis ", a,
          ", 1 to 2^32 are possible");
    check(a == 0 || (t.stride[a] > 0 && t.stride[a] < kMostStride && t.stride[a] % 16 == 0), "tensor map: ", t.stride[a],
          " bytes from one element to the next along axis ", a, ", multiples of 16 below 2^40 are possible");
    check(t.step[a] >= 1 && t.step[a] <= (a == 0 ? 1 : kMostStep), "tensor map: every ", t.step[a], "th element along axis ", a,
          ", 1 to 8 are possible, 1 along axis 0");
    check(t.box[a] >= 1 && int64_t(t.box[a]) * t.step[a] <= kMostBox, "tensor map: a box reaches over ", t.box[a], " times ", t.step[a],
          " elements along axis ", a, ", up to 256 are possible");
  }
  check(row % 16 == 0, "tensor map: rows of a box have ", row, " bytes, multiples of 16 are possible");
  check(t.swizzle == Swizzle::none || row == swizzle_width(t.swizzle), "tensor map: rows of a box have ", row, " bytes with a swizzle of ",
        swizzle_width(t.swizzle));
}

}  // namespace voxgrad
