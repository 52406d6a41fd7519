#pragma once
#include "kernels/conv3d/conv3d_store.h"
#include "kernels/conv3d/conv3d_weight.h"

// Convolutions of any kernel, stride, dilation and groups as they are written: sums over taps and channels.
namespace voxgrad {

// The time that direct_gather takes, relative to that in f32: bf16 may be multiplied in pairs.
double direct_time(const ConvGather&, const ConvInput& x);

// y = gather(x, w) + bias.
template <class A>
void direct_gather(const ConvGather&, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void direct_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
extern template void direct_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

// gw, for the gather of the forward pass.
template <class A>
void direct_weight_gradient(const ConvGather&, const ConvInput& x, View gy, View gw);
extern template void direct_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
extern template void direct_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
