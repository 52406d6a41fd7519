#pragma once
#include "tasks/image_results.h"

namespace voxgrad {

struct MaskedReconstructionOptions {
  double ratio = 0.75;     // of the blocks of a patch that are masked
  Int3 block = {0, 0, 0};  // extents of a block in voxels; 0: an eighth of the patch, at most 16
};

// Pre-training on images alone: blocks of a patch are set to 0 (the mean, where images are standardised) and the network gives what was
// there; the loss is the mean squared difference over the masked voxels (He et al. 2022, masked autoencoders; for convolutional networks
// in 3D Wald et al. 2024, whose ratio and block of 16^3 in a patch of 160^3 these are). Its encoder, or all of it, starts others by
// transfer.from. The score is R^2 over masked voxels, 1 - squared difference / variance: 0 for the mean of what is masked, 1 at best.
class MaskedReconstruction : public ImageTask {
 public:
  explicit MaskedReconstruction(const MaskedReconstructionOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<std::string> outputs(const Dataset& d) const override { return d.channel_names; }
  // The image without its masked blocks; fields "whole", the image, and "mask", 1 where it is masked, both f32 {N, D, H, W, C}.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  // The image with its masked blocks as the network gives them.
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;

 private:
  Tensor mask(const Shape& image, const Int3& patch, Rng) const;
  MaskedReconstructionOptions options_;
};

// f32 {D, H, W, C}: 1 in the masked blocks of a grid that begins at the first voxel, round(ratio n) of its n blocks; 0 elsewhere.
Tensor block_mask(const Int3& size, int64_t channels, const Int3& block, double ratio, Rng);

}  // namespace voxgrad
