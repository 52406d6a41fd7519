#pragma once
#include "kernels/conv3d/narrow_isa.h"
#include "kernels/conv3d/narrow_plan.h"
#include "kernels/conv3d/winograd.h"

namespace voxgrad {

// y = gather(x, w) + bias, by the plan of narrow_plan().
template <class A>
void narrow_gather(const ConvGather&, const NarrowPlan&, const ConvInput& x, const WinogradWeight&, View y);
extern template void narrow_gather<float>(const ConvGather&, const NarrowPlan&, const ConvInput&, const WinogradWeight&, View);
extern template void narrow_gather<double>(const ConvGather&, const NarrowPlan&, const ConvInput&, const WinogradWeight&, View);

// gw, for the gather of the forward pass.
template <class A>
void narrow_weight_gradient(const ConvGather&, const NarrowPlan&, const ConvInput& x, View gy, View gw);
extern template void narrow_weight_gradient<float>(const ConvGather&, const NarrowPlan&, const ConvInput&, View, View);
extern template void narrow_weight_gradient<double>(const ConvGather&, const NarrowPlan&, const ConvInput&, View, View);

// Lane by lane the boxes of a block of inputs (with their halo) or of output gradients: elements {z, y, x, channel, lane}.
template <class A>
class NarrowBoxes {
 public:
  NarrowBoxes(const NarrowPlan& p, const NarrowIsa<A>& isa, const ConvTiling& t, int64_t channels, bool inputs, A* data)
      : p_(p), isa_(isa), t_(t), channels_(channels), halo_(inputs ? 2 : 0), data_(data), place_(size_t(p.all_lanes())) {}
  static int64_t scratch(const NarrowPlan& p, int64_t channels, bool inputs) {
    const Int3 m = p.tile.outputs();
    const int64_t halo = inputs ? 2 : 0, lanes = p.all_lanes();
    return (p.box[0] * m.d + halo) * (p.box[1] * m.h + halo) * round_up((p.box[2] * m.w + halo) * channels, lanes) * lanes;
  }

  void load(const ConvTile<A>& tile, const NarrowBlock& b) {
    const Int3 m = p_.tile.outputs();
    const int64_t lanes = p_.all_lanes(), width = (b.size[2] * m.w + halo_) * channels_;
    height_ = b.size[1] * m.h + halo_, row_ = round_up(width, lanes) * lanes;
    for (int64_t l = 0; l < lanes; ++l) {
      const NarrowLane at(p_, b, l);
      place_[size_t(l)] = ((at.first[0] * t_.extent[1] + at.first[1]) * t_.extent[2] + at.first[2]) * channels_;
    }
    for (int64_t z = 0; z < b.size[0] * m.d + halo_; ++z)
      for (int64_t y = 0; y < height_; ++y) isa_.load_lanes(tile.row(z, y), place_.data(), width, data_ + (z * height_ + y) * row_);
  }
  const A* row(int64_t z, int64_t y) const { return data_ + (z * height_ + y) * row_; }

 private:
  const NarrowPlan& p_;
  const NarrowIsa<A>& isa_;
  const ConvTiling& t_;
  int64_t channels_, halo_;
  A* data_;
  std::vector<int64_t> place_;
  int64_t height_ = 0, row_ = 0;
};

}  // namespace voxgrad
