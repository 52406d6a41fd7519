#pragma once
#include "core/config/range.h"
#include "tasks/image_results.h"

namespace voxgrad {

struct RestorationOptions {
  Range noise = {0.05, 0.2};  // standard deviation of the noise that training adds, in those of the image
  std::string loss = "l1";    // or l2
};

// A better image: denoising, learned from the images of the data set alone. Training adds Gaussian noise of random strength to each patch,
// and the network learns the difference to the image without it (residual learning, Zhang et al. 2017, DnCNN); a prediction is the image
// plus the network's output, in the units of its file. Scores are PSNR at the middle of the range of strengths.
class Restoration : public ImageTask {
 public:
  explicit Restoration(const RestorationOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<std::string> outputs(const Dataset& d) const override { return d.channel_names; }
  // The image with noise; the field "clean" is the one without.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;

 private:
  RestorationOptions options_;
};

}  // namespace voxgrad
