#pragma once
// Winograd's F(2, 3) along H on the tensor cores, a trial that runs where VOXGRAD_CONV_CUDA=winograd asks for it (README.md of conv3d has
// what was found).
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {

// 3x3x3 taps, stride and dilation 1, one group of whole pieces of 16 bytes of 16-bit elements, more than 32 outputs.
bool winograd_is_possible(const ConvGather&, int element);
// Of bf16 and f16, of x as it is and aligned to 16 bytes. Inputs of f16 beyond 32752 may overflow in their transforms.
template <class T>
void conv_gather_winograd(Cuda, const ConvGather&, const WeightPack&, const T* x, const float* w, const GatherOutput<T>&);
ConvTraffic winograd_traffic(const ConvGather&, int element);

}  // namespace voxgrad
