#pragma once
#include <array>

#include "core/config/range.h"
#include "core/tensor.h"

namespace voxgrad {

struct BiasFieldOptions {
  double probability = 0.15;
  Range coefficient = {-0.3, 0.3};  // drawn per channel, for each power of the place
};

// The powers d^i h^j w^k with 1 <= i + j + k <= 3.
inline constexpr int kBiasPowers = 19;
using BiasCoefficients = std::array<float, kBiasPowers>;

// The field of a receive coil in MR: low + (x - low) exp(p(place)), low the least value of the channel, which air has, and p a polynomial
// of degree 3 in places that go from -1 to 1 along each axis (Van Leemput et al., "Automated model-based bias field correction of MR
// images of the brain", 1999). One channel of an image f32 {D, H, W, C}, in place.
void multiply_bias_field(const Tensor& image, int channel, const BiasCoefficients&);

}  // namespace voxgrad
