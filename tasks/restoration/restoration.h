#pragma once
#include "tasks/image_loss/image_loss.h"
#include "tasks/image_results.h"
#include "tasks/restoration/degradation.h"
#include "tasks/restoration/hidden_voxels.h"

namespace voxgrad {

struct RestorationOptions {
  std::string learns = "degraded";  // or noise2void, noise2self, pairs, noise2noise
  Range noise = {0.05, 0.2};        // standard deviation of Gaussian noise, where no other degradations are named
  std::vector<Degradation> degradations = {};
  double masked = 0.015;             // noise2void: part of the voxels that are hidden
  int neighbours = 5;                // noise2void: how far away the values in their place are from
  int grid = 4;                      // noise2self: voxels between hidden ones
  ImageLoss loss = {{.kind = "l1"}};
  // How many voxels a prediction has for one of its file, along D, H and W as the network sees them; [] is {1, 1, 1}. Pairs have as many in
  // their second image; of `degraded`, where no degradations are named, training takes low_resolution by the same factors.
  std::vector<double> upscale = {};
  int margin = 0;  // of tiles (SlidingWindowOptions)
};

// A better image, learned from the images of the data set alone, or from pairs of them.
// degraded: training makes each patch worse at random (degradation.h) and the network learns the difference to the patch as it was
// (residual learning, Zhang et al. 2017, DnCNN); a prediction is the image plus the network's output. Scores are PSNR of images made worse
// by the middle of the ranges.
// pairs: what the data set has as a case's label is the image as it should be, on the same grid or on the finer one that `upscale` makes of
// it, to which the first image is brought as that of a prediction is; the network learns the difference to it.
// noise2noise: it is another image of the same with noise of its own, and either one is what the other's network output is compared with,
// as a coin says (Lehtinen et al. 2018): with l2 the network learns the mean of such images. Scores of both are those against the second
// image. Transforms of intensities are left out of augmentation, as they would change one image of a pair.
// noise2void, noise2self: the images have noise themselves, which is independent from voxel to voxel. A few voxels of each patch take
// values from others near them (hidden_voxels.h), and the network learns what they were; a prediction is its output. Scores are PSNR at
// hidden voxels of the image, with their noise: lower than those of what is below.
// Predictions are in the units of their file, and on its grid or a finer one (upscale).
class Restoration : public ImageTask {
 public:
  explicit Restoration(const RestorationOptions&);

  Volume training_image(const Volume& image, const ModelDescription& d) const override { return paired() ? refined(image, d) : image; }
  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<Field> fields(const DatasetCase&, const Preprocessed&, const ModelDescription&) const override;
  std::string decides_targets() const override;
  bool changes_intensities() const override { return !paired(); }
  double first_outputs() const override { return blind() ? 1 : 0.01; }
  std::vector<std::string> outputs(const Dataset& d) const override;
  // What the network sees; the field "clean" is what is learned, and of hidden voxels "hidden" is 1 where that counts.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  // On a grid `upscale` times as fine over the same field of view, by cubic B-splines.
  Volume refined(const Volume&, const ModelDescription&) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;

 private:
  bool blind() const { return options_.learns == "noise2void" || options_.learns == "noise2self"; }
  bool in_mm() const { return options_.learns == "degraded" && act_in_mm(options_.degradations); }
  bool paired() const { return options_.learns == "pairs" || options_.learns == "noise2noise"; }
  std::string finer() const;
  Tensor hide(const Tensor& image, const Rng&) const;
  Tensor restored(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&) const;
  RestorationOptions options_;
};

}  // namespace voxgrad
