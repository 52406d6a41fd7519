#pragma once
#include "tasks/image_results.h"
#include "tasks/restoration/degradation.h"

namespace voxgrad {

struct RestorationOptions {
  std::string learns = "degraded";  // or noise2void
  Range noise = {0.05, 0.2};        // standard deviation of Gaussian noise, where no other degradations are named
  std::vector<Degradation> degradations = {};
  double masked = 0.015;    // noise2void: part of the voxels that are hidden
  int neighbours = 5;       // noise2void: how far away the values in their place are from
  std::string loss = "l1";  // or l2
};

// A better image, learned from the images of the data set alone.
// degraded: training makes each patch worse at random (degradation.h) and the network learns the difference to the patch as it was
// (residual learning, Zhang et al. 2017, DnCNN); a prediction is the image plus the network's output. Scores are PSNR of images made worse
// by the middle of the ranges.
// noise2void: the images have noise themselves, which is independent from voxel to voxel. A few voxels of each patch, drawn at random, take
// the value of another voxel near them, and the network learns what they were (Krull et al. 2019; uniform selection without the voxel
// itself); a prediction is its output. Scores are PSNR at hidden voxels of the image, with their noise: lower than those of what is below.
// Predictions are in the units of their file.
class Restoration : public ImageTask {
 public:
  explicit Restoration(const RestorationOptions&);

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<std::string> outputs(const Dataset& d) const override { return d.channel_names; }
  // What the network sees; the field "clean" is what is learned, and of noise2void "hidden" is 1 where that counts.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;

 private:
  bool blind() const { return options_.learns == "noise2void"; }
  Tensor restored(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&) const;
  RestorationOptions options_;
};

// Hides the part `masked` of the voxels of an image f32 {D, H, W, C}, in place: all channels of each take those of a voxel that is at most
// `neighbours` away along each axis. f32 {D, H, W, 1}: 1 where that was done. At least one voxel is hidden.
Tensor hide_voxels(const Tensor& image, double masked, int neighbours, Rng);

}  // namespace voxgrad
