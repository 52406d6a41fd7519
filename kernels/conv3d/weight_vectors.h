#pragma once
#include <algorithm>
#include <vector>

#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

// Weights of a gather as vectors along its outputs, for some taps of the kernel.
template <class A>
class WeightVectors {
 public:
  WeightVectors(const ConvGather& g, const ConvIsa<A>& isa, View w, const std::vector<int64_t>& taps) : g_(g), isa_(isa), w_(w.as<A>()) {
    for (int64_t tap : taps) {
      square_.push_back(int64_t(tap_.size()) * isa.lanes * isa.lanes);
      tap_.push_back(tap * g.w_tap);
    }
  }
  int64_t scratch() const { return int64_t(tap_.size()) * isa_.lanes * isa_.lanes; }

  // Calls f(c, at, offset) for the inputs [first, first + count), count <= lanes, of the vector of outputs `vector`: that of input c and
  // of the i-th tap is at + offset[i].
  template <class F>
  void each(int64_t vector, int64_t first, int64_t count, A* scratch, F&& f) const {
    const int64_t lanes = isa_.lanes, real = std::min(lanes, g_.outputs - vector * lanes), taps = int64_t(tap_.size());
    const A* from = w_ + vector * lanes * g_.w_output + first * g_.w_input;
    if (g_.w_output == 1 && real == lanes) {
      constexpr int64_t kAhead = 3;  // inputs, whose lines are as far apart as the rows below
      for (int64_t c = 0; c < count; ++c) {
        for (int64_t i = 0; i < taps && first + c + kAhead < g_.inputs; ++i)
          __builtin_prefetch(from + (c + kAhead) * g_.w_input + tap_[size_t(i)]);
        f(c, from + c * g_.w_input, tap_.data());
      }
      return;
    }
    if (real < lanes || count < lanes) std::fill_n(scratch, taps * lanes * lanes, A(0));
    for (int64_t i = 0; i < taps; ++i) {
      const A* tap = from + tap_[size_t(i)];
      A* square = scratch + square_[size_t(i)];
      if (g_.w_input == 1) {
        // Rows lie far apart, which the processor does not foresee: those of the next inputs are fetched meanwhile.
        for (int64_t r = 0; r < real && first + lanes < g_.inputs; ++r) __builtin_prefetch(tap + r * g_.w_output + lanes);
        isa_.transpose(tap, g_.w_output, square, lanes, real, count);
      } else
        for (int64_t c = 0; c < count; ++c) std::copy_n(tap + c * g_.w_input, real, square + c * lanes);
    }
    for (int64_t c = 0; c < count; ++c) f(c, scratch + c * lanes, square_.data());
  }

 private:
  const ConvGather& g_;
  const ConvIsa<A>& isa_;
  const A* w_;
  std::vector<int64_t> tap_, square_;  // where taps lie in the weight, and in squares of scratch {tap, input, output}
};

}  // namespace voxgrad
