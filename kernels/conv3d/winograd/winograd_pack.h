#pragma once
#include "kernels/conv3d/weight_vectors.h"
#include "kernels/conv3d/winograd/winograd_plan.h"

namespace voxgrad {

// The kernel's taps in the order in which a gather meets its inputs.
inline std::vector<int64_t> taps_in_order(const ConvGather& g) {
  std::vector<int64_t> taps;
  for (int64_t z : g.axes[0][0].tap)
    for (int64_t y : g.axes[1][0].tap)
      for (int64_t x : g.axes[2][0].tap) taps.push_back(g.tap(z, y, x));
  return taps;
}

// The weights of a gather as Winograd's products want them: for each frequency {input, lanes of a block of outputs}.
template <class A>
class WinogradPack {
 public:
  WinogradPack(const ConvGather& g, const ConvIsa<A>& isa, const WinogradIsa<A>& transforms, View w)
      : vectors_(g, isa, w, taps_in_order(g)), transforms_(transforms) {}
  int64_t scratch() const { return vectors_.scratch(); }

  // The vector of outputs `vector`, for inputs [first, first + count), count <= lanes: input c of frequency f goes to
  // to + f frequency_step + c input_step.
  void vector(int64_t vector, int64_t first, int64_t count, A* to, int64_t input_step, int64_t frequency_step, A* scratch) const {
    vectors_.each(vector, first, count, scratch, [&](int64_t c, const A* at, const int64_t* offset) {
      transforms_.transform_weights(at, offset, to + c * input_step, frequency_step);
    });
  }

 private:
  const WeightVectors<A> vectors_;
  const WinogradIsa<A>& transforms_;
};

}  // namespace voxgrad
