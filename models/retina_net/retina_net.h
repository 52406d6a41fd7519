#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/blocks.h"
#include "layers/conv.h"
#include "models/encoder/encoder.h"

namespace voxgrad {

// RetinaNet (Lin et al., ICCV 2017) on an encoder, in 3D and 2D: a feature pyramid (Lin et al., CVPR 2017: 1x1x1 convolutions
// of the stages, the coarser ones enlarged by nearest neighbours and added, a 3x3x3 convolution of each sum) and two heads that all of its
// levels share, convolutions with group norms, as nnDetection's (Baumgartner et al. 2021).
struct RetinaNetConfig {
  int in_channels = 1, classes = 1;
  std::string encoder;  // JSON of the network whose encoder it is (models/encoder), without in_channels and classes, which are these
  int stage = 1;        // of the encoder, at whose resolution the finest level is
  int levels = 3;       // at this and the following stages
  int anchors = 6;      // boxes that each place is asked for (tasks/detection/anchor_head.h)
  int width = 64;       // channels of the pyramid and the heads: a multiple of 8
  int head_depth = 1;   // convolutions of each head before the last one
  double prior = 0.01;  // probability of an object that every anchor starts from
};
void validate(const RetinaNetConfig&);
std::string to_json_text(const RetinaNetConfig&);
RetinaNetConfig retina_net_config_from_json(const Json&);
// dense, with outputs that are smaller than the input and have channels for each class of each anchor.
NetworkTraits traits_of(const RetinaNetConfig&);

struct RetinaNet {
  RetinaNetConfig config;
  Encoder encoder;
  std::vector<Conv3d> lateral, merged;  // of the stages from the finest level on; of the levels
  std::vector<ConvBlock> class_head, box_head;
  Conv3d class_out, box_out;
  FIELDS(encoder, lateral, merged, class_head, box_head, class_out, box_out)

  RetinaNet(const RetinaNetConfig&, Rng&);
  // x {N, D, H, W, in_channels}: for each level, the finest first, logits {N, .., anchors classes} and deltas {N, .., 6 anchors}.
  std::vector<Tensor> operator()(const Tensor& x) const;
};

}  // namespace voxgrad
