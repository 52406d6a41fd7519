#pragma once
#include "kernels/conv3d/conv3d_store.h"
#include "kernels/conv3d/conv3d_weight.h"
#include "kernels/conv3d/winograd/winograd_plan.h"

// Convolutions of so few voxels that each weight meets a handful of them: the last stages of a ResNet. Reading the weights is what takes
// the time, so they are read once, in their own order, and neither packed nor transformed: a tap has a list of the pairs of an output and
// an input that it connects, of all samples, and voxels outside the volume are in none.
namespace voxgrad {

// Whether the pass is computed so: dense, of whole vectors of the channels that lie beside each other in the weight, at most 16 pairs a
// tap, of weight gradients 128, and weights that are worth it.
bool is_few_voxels(const ConvGather& g, int64_t lanes, ConvPass pass = ConvPass::gather);

// y = gather(x, w) + bias, where is_few_voxels().
template <class A>
void few_voxels_gather(const ConvGather&, const ConvInput& x, View w, View bias, const ConvStore& y);
extern template void few_voxels_gather<float>(const ConvGather&, const ConvInput&, View, View, const ConvStore&);
extern template void few_voxels_gather<double>(const ConvGather&, const ConvInput&, View, View, const ConvStore&);

// gw, for the gather of the forward pass.
template <class A>
void few_voxels_weight_gradient(const ConvGather&, const ConvInput& x, View gy, View gw);
extern template void few_voxels_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
extern template void few_voxels_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
