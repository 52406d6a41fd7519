// tensor_map() by the driver, whose function is asked for by name, so that nothing is linked with it.
#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstring>

#include "core/cuda/tensor_map.h"
#include "core/error.h"

namespace voxgrad {
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

Encode encoder() {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  constexpr const char* kName = "cuTensorMapEncodeTiled";
#if CUDART_VERSION >= 12050
  const cudaError_t e = cudaGetDriverEntryPointByVersion(kName, &found, 12000, cudaEnableDefault, &result);
#else
  const cudaError_t e = cudaGetDriverEntryPoint(kName, &found, cudaEnableDefault, &result);
#endif
  check(e == cudaSuccess && result == cudaDriverEntryPointSuccess && found, "CUDA: this driver has no ", kName, ", that of CUDA 12 has");
  return reinterpret_cast<Encode>(found);
}

CUtensorMapDataType type_of(const BoxedTensor& t) {
  if (t.tf32) return CU_TENSOR_MAP_DATA_TYPE_TFLOAT32;
  switch (size_of(t.dtype)) {
    case 1: return CU_TENSOR_MAP_DATA_TYPE_UINT8;
    case 2: return CU_TENSOR_MAP_DATA_TYPE_UINT16;
    case 4: return CU_TENSOR_MAP_DATA_TYPE_UINT32;
    default: return CU_TENSOR_MAP_DATA_TYPE_UINT64;
  }
}
CUtensorMapSwizzle swizzle_of(Swizzle s) {
  return s == Swizzle::none      ? CU_TENSOR_MAP_SWIZZLE_NONE
         : s == Swizzle::bytes32 ? CU_TENSOR_MAP_SWIZZLE_32B
         : s == Swizzle::bytes64 ? CU_TENSOR_MAP_SWIZZLE_64B
                                 : CU_TENSOR_MAP_SWIZZLE_128B;
}

}  // namespace

TensorMap tensor_map(const BoxedTensor& t) {
  static const Encode encode = encoder();
  static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));
  detail::check_boxes(t);
  cuuint64_t extent[5], stride[4];
  cuuint32_t box[5], step[5];
  for (int a = 0; a < 5; ++a) {
    extent[a] = cuuint64_t(t.extent[a]);
    box[a] = cuuint32_t(t.box[a] * t.step[a]);
    step[a] = cuuint32_t(t.step[a]);
    if (a > 0) stride[a - 1] = cuuint64_t(t.stride[a]);
  }
  CUtensorMap made;
  const CUresult r = encode(&made, type_of(t), 5, const_cast<void*>(t.address), extent, stride, box, step, CU_TENSOR_MAP_INTERLEAVE_NONE,
                            swizzle_of(t.swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  check(r == CUDA_SUCCESS, "CUDA: the driver refuses a tensor map of ", t.extent[0], " x ", t.extent[1], " x ", t.extent[2], " x ",
        t.extent[3], " x ", t.extent[4], " elements, error ", int(r));
  TensorMap map;
  std::memcpy(&map, &made, sizeof map);
  return map;
}

}  // namespace voxgrad
