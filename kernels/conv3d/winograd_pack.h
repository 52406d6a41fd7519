#pragma once
#include <algorithm>

#include "kernels/conv3d/conv3d_tile.h"
#include "kernels/conv3d/winograd_plan.h"

namespace voxgrad {

// The weights of a gather as Winograd's products want them: for each frequency {input, lanes of a block of outputs}.
template <class A>
class WinogradPack {
 public:
  WinogradPack(const ConvGather& g, const ConvIsa<A>& isa, const WinogradIsa<A>& transforms, View w)
      : g_(g), isa_(isa), transforms_(transforms), w_(w.as<A>()) {
    for (int64_t i = 0; i < 27; ++i) {
      tap_[i] = g.tap(g.axes[0][0].tap[size_t(i / 9)], g.axes[1][0].tap[size_t(i / 3 % 3)], g.axes[2][0].tap[size_t(i % 3)]) * g.w_tap;
      square_[i] = i * isa.lanes * isa.lanes;
    }
  }
  int64_t scratch() const { return 27 * isa_.lanes * isa_.lanes; }

  // The vector of outputs `vector`, for inputs [first, first + count), count <= lanes: input c of frequency f goes to
  // to + f frequency_step + c input_step.
  void vector(int64_t vector, int64_t first, int64_t count, A* to, int64_t input_step, int64_t frequency_step, A* scratch) const {
    const int64_t lanes = isa_.lanes, real = std::min(lanes, g_.outputs - vector * lanes);
    const A* from = w_ + vector * lanes * g_.w_output + first * g_.w_input;
    const bool direct = g_.w_output == 1 && real == lanes;
    if (!direct && (real < lanes || count < lanes)) std::fill_n(scratch, 27 * lanes * lanes, A(0));
    for (int64_t t = 0; t < 27 && !direct; ++t) {
      if (g_.w_input == 1) isa_.transpose(from + tap_[t], g_.w_output, scratch + square_[t], lanes, real, count);
      else
        for (int64_t c = 0; c < count; ++c) std::copy_n(from + tap_[t] + c * g_.w_input, real, scratch + square_[t] + c * lanes);
    }
    for (int64_t c = 0; c < count; ++c)
      transforms_.transform_weights(direct ? from + c * g_.w_input : scratch + c * lanes, direct ? tap_ : square_, to + c * input_step,
                                    frequency_step);
  }

 private:
  const ConvGather& g_;
  const ConvIsa<A>& isa_;
  const WinogradIsa<A>& transforms_;
  const A* w_;
  int64_t tap_[27], square_[27];  // where taps lie in the weight, and in squares of scratch {tap, input, output}
};

}  // namespace voxgrad
