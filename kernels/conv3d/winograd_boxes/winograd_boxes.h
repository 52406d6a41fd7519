#pragma once
#include "kernels/conv3d/winograd/winograd.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes_isa.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes_plan.h"

namespace voxgrad {

// y = gather(x, w) + bias, by the plan of winograd_boxes_plan().
template <class A>
void winograd_boxes_gather(const ConvGather&, const WinogradBoxesPlan&, const ConvInput& x, const ConvWeight&, View y);
extern template void winograd_boxes_gather<float>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, const ConvWeight&,
                                                  View);
extern template void winograd_boxes_gather<double>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, const ConvWeight&,
                                                   View);

// gw, for the gather of the forward pass.
template <class A>
void winograd_boxes_weight_gradient(const ConvGather&, const WinogradBoxesPlan&, const ConvInput& x, View gy, View gw);
extern template void winograd_boxes_weight_gradient<float>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, View, View);
extern template void winograd_boxes_weight_gradient<double>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, View, View);

// Elements of a row of `count` values in whole squares of lanes, and a vector more: rows a power of two apart would share a set of the
// cache.
inline int64_t winograd_boxes_row(int64_t count, int64_t lanes) { return (round_up(count, lanes) + 1) * lanes; }

// Lane by lane a layer of tiles of the boxes of a block, of inputs with their halo or of output gradients, transformed along D:
// {plane of frequencies, y, x, channel, lane}.
template <class A>
class WinogradBoxesLayer {
 public:
  WinogradBoxesLayer(const WinogradBoxesPlan& p, const WinogradBoxesIsa<A>& isa, const ConvTiling& t, int64_t channels, bool inputs,
                     A* data)
      : p_(p), isa_(isa), t_(t), channels_(channels), halo_(inputs ? 2 : 0), data_(data), place_(size_t(p.all_lanes())) {}
  static int64_t scratch(const WinogradBoxesPlan& p, int64_t channels, bool inputs) {
    const int64_t halo = inputs ? 2 : 0, lanes = p.all_lanes();
    return p.tile.planes() * (p.box[1] * kBoxesTile + halo) * winograd_boxes_row((p.box[2] * kBoxesTile + halo) * channels, lanes);
  }

  void start(const WinogradBoxesBlock& b) {
    width_ = (b.size[2] * kBoxesTile + halo_) * channels_;
    height_ = b.size[1] * kBoxesTile + halo_;
    row_step_ = winograd_boxes_row(width_, p_.all_lanes());
    for (size_t l = 0; l < place_.size(); ++l) {
      const WinogradBoxesLane at(p_, b, int64_t(l));
      place_[l] = ((at.first[0] * t_.extent[1] + at.first[1]) * t_.extent[2] + at.first[2]) * channels_;
    }
  }
  // Layer d of the tiles.
  void load(const ConvTile<A>& tile, int64_t d) {
    for (int64_t y = 0; y < height_; ++y) {
      const int64_t z = p_.tile.d * d;
      const WinogradBoxesLoad<A> l{.tile = int(p_.tile.d),
                                   .from = tile.row(z, y),
                                   .from_step = tile.row(z + 1, y) - tile.row(z, y),
                                   .place = place_.data(),
                                   .count = width_,
                                   .plane_step = plane_step(),
                                   .to = data_ + y * row_step_};
      halo_ > 0 ? isa_.load_inputs(l) : isa_.load_gradients(l);
    }
  }
  int64_t row_step() const { return row_step_; }
  // The first row of a row of tiles.
  const A* row(int plane, int64_t h) const { return data_ + plane * plane_step() + h * kBoxesTile * row_step_; }

 private:
  const WinogradBoxesPlan& p_;
  const WinogradBoxesIsa<A>& isa_;
  const ConvTiling& t_;
  int64_t channels_;
  int halo_;
  A* data_;
  std::vector<int64_t> place_;
  int64_t width_ = 0, height_ = 0, row_step_ = 0;

  int64_t plane_step() const { return height_ * row_step_; }
};

}  // namespace voxgrad
