#pragma once
// How a convolution becomes gathers.
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {

// The axis of the forward pass, and that of the input gradient for positions = residue modulo the stride. Without a tap, taps is 0.
GatherAxis forward_axis(const Conv3dProblem&, int axis);
GatherAxis gradient_axis(const Conv3dProblem&, int axis, int residue);
// The input gradient as one gather with several places, of which taps is 0 where the kernel is not the stride, or is 1.
ConvGather placed_gather(const Conv3dProblem&);

// The gather that is the forward pass, and those that are the input gradient.
ConvGather conv_forward_gather(const Conv3dProblem&);
template <class F>
void for_gradient_gathers(const Conv3dProblem& p, F&& f) {
  for (int d = 0; d < p.stride.d && d < p.in.d; ++d)
    for (int h = 0; h < p.stride.h && h < p.in.h; ++h)
      for (int v = 0; v < p.stride.w && v < p.in.w; ++v) {
        ConvGather g{.n = p.n, .groups = p.groups, .inputs = int(p.k / p.groups), .outputs = int(p.c / p.groups),
                     .axis = {gradient_axis(p, 0, d), gradient_axis(p, 1, h), gradient_axis(p, 2, v)}};
        g.taps = g.axis[0].taps * g.axis[1].taps * g.axis[2].taps;
        f(g);
      }
}

// Few channels leave most of a tensor core's tile empty.
inline bool few_channels(const ConvGather& g) { return g.inputs <= 4 || g.outputs <= 2; }
// The gather with groups of 2 to 4 channels joined to as many as fill 64 bytes, with weights of 0 between them (WeightPack::joined): g
// times the products of g groups, of which the tensor cores do 16 (of f32 8) while the ordinary ones do one. Others are as they were, so
// are depthwise ones and exact f32, which takes three products for one.
ConvGather joined_gather(const ConvGather&, int element, bool exact);

// How the weights {k, taps, channels} are read by the forward pass, and by the input gradient.
WeightPack forward_pack(const Conv3dProblem&, const ConvGather&);
WeightPack gradient_pack(const Conv3dProblem&);

}  // namespace voxgrad
