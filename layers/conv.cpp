#include "layers/conv.h"

#include "kernels/matmul/matmul.h"
#include "layers/init.h"

namespace voxgrad {
namespace {
int64_t volume_of(const char* who, const Int3& kernel) {
  check(kernel.d > 0 && kernel.h > 0 && kernel.w > 0, who, ": a kernel of ", kernel);
  return int64_t(kernel.d) * kernel.h * kernel.w;
}
void check_channels(const char* who, int in, int out, int groups) {
  check(in > 0 && out > 0 && groups > 0 && in % groups == 0 && out % groups == 0, who, ": ", in, " to ", out, " channels in ", groups,
        " groups");
}
}  // namespace

Conv3d::Conv3d(const Conv3dLayer& o, Rng& rng) {
  const int64_t taps = volume_of("Conv3d", o.kernel);
  check_channels("Conv3d", o.in, o.out, o.groups);
  options = {.stride = o.stride, .dilation = o.dilation, .groups = o.groups};
  for (int a = 0; a < 3; ++a) options.padding[a] = o.padding ? (*o.padding)[a] : (o.kernel[a] - 1) / 2 * o.dilation[a];
  weight = he_normal({o.out, o.kernel.d, o.kernel.h, o.kernel.w, o.in / o.groups}, taps * o.in / o.groups, rng);
  if (o.bias) bias = constant_parameter({o.out}, 0);
}

Tensor Conv3d::operator()(const ConvSource& x, ConvStatistics* of_y) const {
  if (!x.normalised) return (*this)(x.x, of_y);
  return hooked(*this, conv3d_fused({x}, weight, bias, options, {.statistics = of_y}));
}

// PyTorch's fan-in of a transposed convolution, which nnU-Net's initialisation uses: the output channels times the kernel.
ConvTranspose3d::ConvTranspose3d(const ConvTranspose3dLayer& o, Rng& rng) {
  const int64_t taps = volume_of("ConvTranspose3d", o.kernel);
  check_channels("ConvTranspose3d", o.in, o.out, o.groups);
  options = {.stride = o.stride, .padding = o.padding, .output_padding = o.output_padding, .dilation = o.dilation, .groups = o.groups};
  weight = he_normal({o.in, o.kernel.d, o.kernel.h, o.kernel.w, o.out / o.groups}, taps * o.out / o.groups, rng);
  if (o.bias) bias = constant_parameter({o.out}, 0);
}

Linear::Linear(const LinearLayer& o, Rng& rng) {
  check_channels("Linear", o.in, o.out, 1);
  weight = he_normal({o.out, o.in}, o.in, rng);
  if (o.bias) bias = constant_parameter({o.out}, 0);
}
Tensor Linear::operator()(const Tensor& x) const { return hooked(*this, linear(x, weight, bias)); }

}  // namespace voxgrad
