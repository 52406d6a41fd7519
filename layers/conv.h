#pragma once
#include "core/forward_hooks.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/conv_transpose3d/conv_transpose3d.h"

namespace voxgrad {

// Layers are plain structs of tensors. Weights start from he_normal, biases from 0.

struct Conv3dLayer {
  int in = 0, out = 0;
  Int3 kernel = {3, 3, 3}, stride = {1, 1, 1};
  std::optional<Int3> padding = {};  // absent: "same", (kernel - 1) / 2 * dilation
  Int3 dilation = {1, 1, 1};
  int groups = 1;
  bool bias = true;
};

struct Conv3d {
  Tensor weight, bias;  // {out, T, R, S, in / groups}, {out} or absent
  Conv3dOptions options;
  FIELDS(weight, bias)

  Conv3d() = default;
  Conv3d(const Conv3dLayer&, Rng&);
  Tensor operator()(const Tensor& x, ConvStatistics* of_y = nullptr) const {
    return hooked(*this, conv3d(x, weight, bias, options, of_y));
  }
  Tensor operator()(const ConvSource& x, ConvStatistics* of_y = nullptr) const;
};

struct ConvTranspose3dLayer {
  int in = 0, out = 0;
  Int3 kernel = {2, 2, 2}, stride = {2, 2, 2}, padding = {0, 0, 0}, output_padding = {0, 0, 0}, dilation = {1, 1, 1};
  int groups = 1;
  bool bias = true;
};

struct ConvTranspose3d {
  Tensor weight, bias;  // {in, T, R, S, out / groups}, {out} or absent
  ConvTranspose3dOptions options;
  FIELDS(weight, bias)

  ConvTranspose3d() = default;
  ConvTranspose3d(const ConvTranspose3dLayer&, Rng&);
  Tensor operator()(const Tensor& x) const { return hooked(*this, conv_transpose3d(x, weight, bias, options)); }
};

struct LinearLayer {
  int in = 0, out = 0;
  bool bias = true;
};

// {.., in} to {.., out}.
struct Linear {
  Tensor weight, bias;  // {out, in}, {out} or absent
  FIELDS(weight, bias)

  Linear() = default;
  Linear(const LinearLayer&, Rng&);
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
