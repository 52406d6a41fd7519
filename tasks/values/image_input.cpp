#include "tasks/values/image_input.h"

#include <cmath>

namespace voxgrad {

void add_image_input(ConfigTable& t, ImageInput& i) {
  t.choice("input", i.input, {"whole", "center", "patch"},
           "whole: the image, padded or cut to the patch, which is planned for the median case; center: the middle of the image, a patch "
           "of train.patch; patch: patches anywhere in training, the mean over overlapping ones in prediction");
  t.number("shift", i.shift, 0, 0.5, "largest random shift of the image in training, along each axis, as a part of the patch");
}

Double3 middle_centre(const ImageInput& input, const Case& c, const Int3& patch, Rng rng) {
  Double3 centre;
  for (int a = 0; a < 3; ++a) {
    const int begin = middle_begin(c.places.size[a], patch[a]);
    const double reach = patch[a] > 1 ? input.shift * patch[a] : 0;
    centre[size_t(a)] = begin + (patch[a] - 1) / 2.0 + double(std::lround(rng.uniform(-reach, reach)));
  }
  return centre;
}

Tensor image_outputs(const ImageInput& input, const Network& net, const ModelDescription& d, const Tensor& image,
                     const PredictOptions& o) {
  if (input.input == "patch") return predict_tile_values(net, d, image, o);
  return predict_values(net, d, image, o).reshape({1, d.traits.out_channels});
}

}  // namespace voxgrad
