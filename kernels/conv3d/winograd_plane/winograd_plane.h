#pragma once
#include "kernels/conv3d/winograd/winograd.h"
#include "kernels/conv3d/winograd_plane/winograd_plane_plan.h"

namespace voxgrad {

// y = gather(x, w) + bias, for the tile that winograd_plane_tile() chose.
template <class A>
void winograd_plane_gather(const ConvGather&, WinogradPlaneTile, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void winograd_plane_gather<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&,
                                                  const ConvStore&);
extern template void winograd_plane_gather<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&,
                                                   const ConvStore&);

// The same where winograd_plane_streams().
template <class A>
void winograd_plane_streamed(const ConvGather&, WinogradPlaneTile, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void winograd_plane_streamed<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&,
                                                    const ConvStore&);
extern template void winograd_plane_streamed<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&,
                                                     const ConvStore&);

// gw, for the gather of the forward pass.
template <class A>
void winograd_plane_weight_gradient(const ConvGather&, WinogradPlaneTile, const ConvInput& x, View gy, View gw);
extern template void winograd_plane_weight_gradient<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, View, View);
extern template void winograd_plane_weight_gradient<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, View, View);

// Blocks of tiles of a plane, as tiles of one plane each that start at their first input.
inline ConvTiling plane_tiling(const Int3& in, const WinogradPlanePlan& p, int step, int extent, bool inputs) {
  ConvTiling t;
  for (int a = 0; a < 3; ++a) {
    t.positions[a] = in[a];
    t.block[a] = 0;
    t.count[a] = t.step[a] = t.in_step[a] = t.extent[a] = 1;
    t.low[a] = 0;
    t.in[a] = in[a];
    if (a > 0) {
      t.extent[a] = (p.axis[a - 1].block - 1) * step + extent;
      t.low[a] = inputs ? p.axis[a - 1].low : 0;
    }
  }
  return t;
}

// A block of the tiles of a plane: its first one, and how many it has.
struct WinogradPlaneBlock {
  int64_t h, w, height, width;
  WinogradPlaneBlock(const WinogradPlanePlan& p, int64_t index)
      : h(index / p.axis[1].count * p.axis[0].block),
        w(index % p.axis[1].count * p.axis[1].block),
        height(std::min(p.axis[0].block, p.axis[0].tiles - h)),
        width(std::min(p.axis[1].block, p.axis[1].tiles - w)) {}
  int64_t tiles() const { return height * width; }
  // Where the tile that ConvTile loads starts.
  ConvStart start(const ConvTiling& t, int64_t z, int step) const {
    ConvStart s(t, 0);
    s.at[0] = z;
    s.at[1] = h * step;
    s.at[2] = w * step;
    return s;
  }
};

}  // namespace voxgrad
