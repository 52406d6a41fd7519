#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "models/unet/unet.h"

namespace voxgrad {

// Unrolled reconstruction of k-space of several coils: cascades, each of a U-Net that says what is wrong with an image and a step of data
// consistency with A = mask F S, S the sensitivities of the coils. Any number of coils, any extents; slices (along D) one by one.
//   consistency "conjugate_gradients": z = x - U(x), then x = argmin |A x - k0|^2 + lambda |x - z|^2 by conjugate gradients, lambda being
//     trained (MoDL, Aggarwal et al. 2019), from x = A' k0 on; the result is |x|.
//   consistency "gradient": k <- k - eta mask (k - k0) - F(S U(sum over coils conj(S) F^-1 k)), the end-to-end variational network (Sriram
//     et al. 2020, fastMRI's varnet); the result is the root of the sum of squares of the coils of F^-1 k.
// U-Nets standardise what they see (NormUNet). Unlike fastMRI's their mean is not added again and their last convolution starts at a
// hundredth, so that training starts from data consistency alone.
struct VarNetConfig {
  int in_channels = 1, out_channels = 1;  // of the images that are measured and of those reconstructed: 1
  int cascades = 6;
  int features = 8, stages = 4;             // of each U-Net: channels of the first stage, and stages
  std::string consistency = "conjugate_gradients";
  int iterations = 8;                       // of conjugate gradients
  // From the middle of k-space: "estimated" (layers/mri/coils.h), by "espirit" (layers/mri/espirit.h), or "learned": estimated and refined
  // by a U-Net.
  std::string sensitivities = "estimated";
  int sensitivity_features = 4;             // of that U-Net
  bool recompute = false;  // in training keep no more than what passes between cascades, and compute them again on the way back
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

// What was measured of a batch of slices.
struct MeasuredKspace {
  Tensor kspace, mask, sensitivities;  // {N, 1, H, W, 2 coils}, {N, 1, H, W, 1}, {N, 1, H, W, 2 coils}
};

struct VarNetCascade {
  Tensor strength;  // {1}: eta, or ln(e^lambda - 1)
  NormUNet regularizer;
  FIELDS(strength, regularizer)

  VarNetCascade(const VarNetConfig&, Rng&);
  Tensor of_kspace(const Tensor& kspace, const MeasuredKspace&) const;
  Tensor of_image(const Tensor& image, const MeasuredKspace&, int iterations) const;
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
