#include "augment/bias_field/bias_field.h"
#include "tasks/restoration/degradation.h"

namespace voxgrad {

DegradationEntry bias_field_degradation() {
  return {.name = "bias_field",
          .summary =
              "l + (x - l) exp(p), l the least value and p a polynomial of degree 3 in the place, -1 to 1 along each axis, with "
              "coefficients between -s and s: the field of a coil in MR (Van Leemput et al. 1999; MONAI's RandBiasField)",
          .most = 10,
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            const Tensor out = x.clone();
            for (int c = 0; c < x.dim(3); ++c) {
              Rng own = draw.rng.at(uint64_t(c));
              BiasCoefficients coefficients;
              for (float& k : coefficients) k = float(own.uniform(-draw.s, draw.s));
              multiply_bias_field(out, c, coefficients);
            }
            return out;
          }};
}

}  // namespace voxgrad
