#include "models/unet/unet_encoder.h"

#include "core/config/json_values.h"

namespace voxgrad {

void add_encoder_keys(ConfigTable& t, UNetOptions& o, bool& residual) {
  ConfigTable all;
  add_unet_keys(all, o);
  for (ConfigKey& key : all.keys)
    if (key.name != "deep_supervision") t.keys.push_back(std::move(key));
  t.flag("residual", residual, "the encoder of residual blocks in place of the plain one");
}

void add_unet_part(ConfigTable& t, UNetConfig& c) {
  t.add_json("unet", "",
             [&c] {
               Json j = to_json(c);
               j.erase("in_channels");
               j.erase("classes");
               return j;
             },
             [&c](const Json& j) { c = unet_config_from_json(j); });
}

double least_encoder_weights(const UNetConfig& c) {
  double n = 0;
  for (size_t s = 0; s < c.features.size(); ++s) {
    const double taps = double(c.kernels[s].d) * c.kernels[s].h * c.kernels[s].w;
    n += taps * (c.encoder_depth[s] - 1.0) * c.features[s] * c.features[s];
  }
  return n;
}

void check_unet_input(const char* who, const Tensor& x, const UNetConfig& c) {
  check(x && x.shape().rank == 5 && x.dim(-1) == c.in_channels, who, ": the input is ", x, ", wanted is {N, D, H, W, ", c.in_channels,
        "}");
  const Int3 divisor = c.divisor(), size = x.shape().spatial();
  for (int a = 0; a < 3; ++a)
    check(size[a] > 0 && size[a] % divisor[a] == 0, who, ": an input of ", size, " voxels is not a multiple of ", divisor,
          ", the product of the strides");
}

}  // namespace voxgrad
