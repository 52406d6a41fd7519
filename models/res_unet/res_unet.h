#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/norm.h"
#include "models/network.h"

namespace voxgrad {

// The residual U-Net of Kerfoot et al. 2018, MONAI's UNet: a level is a block of convolutions, the first with the level's stride, what lies
// below, concatenated behind its skip, and a transposed convolution. Normalisation and activation follow each convolution.
struct ResUNetConfig {
  int in_channels = 1, classes = 2;
  std::vector<int> channels = {16, 32, 64, 128, 256};  // of the levels, the last is the bottom
  std::vector<int> strides = {2, 2, 2, 2};              // of all levels but the bottom
  int units = 2;                 // convolutions of a block, beside which its input is added; 0: one convolution, nothing added
  int kernel = 3, up_kernel = 3;  // odd
  std::string norm = "instance";  // none, instance, batch
  bool affine = false;            // of the instance norm
  std::string activation = "prelu";  // or relu
  bool bias = true;
  bool flat = false;  // a volume of one slice: kernels and strides are 1 along D
};
// Throws Error that names the entry which is wrong.
void validate(const ResUNetConfig&);
std::string to_json_text(const ResUNetConfig&);
ResUNetConfig res_unet_config_from_json(const Json&);
NetworkTraits traits_of(const ResUNetConfig&);

// Norm and activation; PReLU is x for x > 0, else slope x, with one slope that is trained.
struct NormAct {
  Norm norm;
  Tensor slope;  // {1}; absent: ReLU
  FIELDS(norm, slope)
  // stats: of x, where they are known already (StatisticsFor).
  Tensor operator()(const Tensor& x, const Tensor& stats = {}) const;
  // The same, left to the convolution that reads it where that is possible. To be read once.
  ConvSource lazily(const Tensor& x, const Tensor& stats) const;
};

struct ResUNetBlock {
  std::vector<Conv3d> convs;
  std::vector<NormAct> acts;       // behind each but, at the top, the last
  std::optional<Conv3d> residual;  // where extents or channels change
  bool adds = true;
  FIELDS(convs, acts, residual)
  Tensor operator()(const Tensor& x) const;
};

struct ResUNetUp {
  ConvTranspose3d conv;
  std::optional<NormAct> act;
  std::optional<ResUNetBlock> block;
  FIELDS(conv, act, block)
  Tensor operator()(const Tensor& x) const;
};

struct ResUNet {
  ResUNetConfig config;
  std::vector<ResUNetBlock> down;  // finest first
  ResUNetBlock bottom;
  std::vector<ResUNetUp> up;  // finest first
  FIELDS(down, bottom, up)

  ResUNet(const ResUNetConfig&, Rng&);
  // The features on the way down, finest first; the last ones are what the bottom gives.
  std::vector<Tensor> stages(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
