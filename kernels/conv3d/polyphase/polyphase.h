#pragma once
#include "kernels/conv3d/conv3d_store.h"
#include "kernels/conv3d/conv3d_weight.h"

// Kernels of 7 with stride 2 along W of a few channels, as networks begin with. Output q sums the inputs 2 q + s of the taps s: those of
// even taps are a convolution of 4 taps and stride 1 of every second input, those of odd ones another of 3 taps of the inputs between
// (polyphase decomposition). Winograd's F(4, 4) and F(4, 3) compute four neighbouring outputs of these with 7 + 6 products in place of 28;
// the phases and the taps along D and H are summed in the seven frequencies.
namespace voxgrad {

inline constexpr int kPolyphasePositions = 4, kPolyphaseFrequencies = 7, kPolyphaseProducts = 13;  // of a tile
inline constexpr int kPolyphaseStep = 2 * kPolyphasePositions, kPolyphaseInputs = 13;              // inputs from tile to tile, and of one
// Phases whose products a frequency sums: at infinity, the last one, the even taps alone.
constexpr int polyphase_phases(int64_t frequency) { return frequency == kPolyphaseFrequencies - 1 ? 1 : 2; }

// Whether it can compute the gather, and costs less than the direct kernel times `direct`.
bool is_polyphase(const ConvGather&, int64_t lanes, double direct = 1);

// y = gather(x, w) + bias, where is_polyphase().
template <class A>
void polyphase_gather(const ConvGather&, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void polyphase_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
extern template void polyphase_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

// Whether that has frequencies along H as well as along W: of the taps of a plane 169 products for 4 x 4 outputs in place of 364, summed in
// 49 frequencies.
bool is_polyphase_square(const ConvGather&);
template <class A>
void polyphase_squares_gather(const ConvGather&, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void polyphase_squares_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
extern template void polyphase_squares_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

// gw, for the gather of the forward pass, where is_polyphase(): by the transposes of the transforms.
template <class A>
void polyphase_weight_gradient(const ConvGather&, const ConvInput& x, View gy, View gw);
extern template void polyphase_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
extern template void polyphase_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
