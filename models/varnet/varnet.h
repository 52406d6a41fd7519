#pragma once
#include <optional>
#include <string>
#include <vector>

#include "models/unet/unet.h"

namespace voxgrad {

// The end-to-end variational network (Sriram et al. 2020, fastMRI's varnet): cascades, each a step of data consistency and a U-Net,
//   k <- k - eta mask (k - k0) - F(S U(sum over coils conj(S) F^-1 k)),
// whose result is the root of the sum of squares of the coils of F^-1 k. Any number of coils, any extents; slices (along D) are
// reconstructed one by one. Unlike fastMRI's the U-Net's mean is not added again and its last convolution starts at a hundredth, so that
// training starts from data consistency alone.
struct VarNetConfig {
  int in_channels = 1, out_channels = 1;  // of the images that are measured and of those reconstructed: 1
  int cascades = 6;
  int features = 8, stages = 4;         // of each U-Net: channels of the first stage, and stages
  std::string sensitivities = "estimated";  // from the middle of k-space (layers/mri/coils.h), or refined by a U-Net ("learned")
  int sensitivity_features = 4;         // of that U-Net
  bool recompute = false;               // in training keep no more than k-space between cascades, and compute them again on the way back
};
void validate(const VarNetConfig&);
std::string to_json_text(const VarNetConfig&);
VarNetConfig varnet_config_from_json(const Json&);
NetworkTraits traits_of(const VarNetConfig&);

// A U-Net on complex images {N, 1, H, W, 2}: both parts are standardised each by itself, padded to what the U-Net takes, and the result has
// their deviation again.
struct NormUNet {
  UNet net;
  FIELDS(net)

  NormUNet(int features, int stages, Rng&);
  Tensor operator()(const Tensor& x) const;
};

struct VarNetCascade {
  Tensor eta;  // {1}
  NormUNet regularizer;
  FIELDS(eta, regularizer)

  VarNetCascade(int features, int stages, Rng&);
  // mask {N, 1, H, W, 1}
  Tensor operator()(const Tensor& kspace, const Tensor& measured, const Tensor& mask, const Tensor& sensitivities) const;
};

struct VarNet {
  VarNetConfig config;
  std::vector<VarNetCascade> cascades;
  std::optional<NormUNet> sensitivity;
  FIELDS(cascades, sensitivity)

  VarNet(const VarNetConfig&, Rng&);
  // {N, D, H, W, 2 coils + 1}: k-space, 0 where it was not measured, and behind it a channel that is 1 where it
  // was (undersampled_input). The middle that sensitivities are estimated from is as wide as the row in the middle has it. The image {N, D,
  // H, W, 1}.
  Tensor operator()(const Tensor& x) const;
};

// What VarNet takes: k-space {N, D, H, W, 2 coils} times the mask, and the mask, of any shape that expands to {N, D, H, W, 1}.
Tensor undersampled_input(const Tensor& kspace, const Tensor& mask);

}  // namespace voxgrad
