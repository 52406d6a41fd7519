#pragma once
#include "tasks/image_loss/image_loss.h"
#include "tasks/image_results.h"
#include "tasks/reconstruction/measurement.h"

namespace voxgrad {

struct ReconstructionOptions {
  MeasurementOptions measurement;
  std::string sees = "measurement";  // what the network takes: the measurement, or the image that needs no training, which it corrects
  ImageLoss loss = {{.kind = "l1"}};
};

// Images from incomplete measurements, learned from images alone: slices (along D) are measured as the options say, and the network gives
// them back. A network that takes measurements (varnet, learned_primal_dual) gives the image; any other dense one sees the zero-filled
// image or the filtered back-projection, and what it gives is added to that. Images are scaled to 0 .. 1
// (data.normalization=rescale_to_0_1). Used on an image it is measured first, with random numbers of its name, so that `evaluate` compares
// with the image itself.
class Reconstruction : public ImageTask {
 public:
  explicit Reconstruction(const ReconstructionOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  double first_outputs() const override { return options_.sees == "image" ? 0.01 : 1; }
  std::vector<std::string> outputs(const Dataset&) const override;
  // What the network sees; the field "clean" is what was measured.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  // The reconstruction, and as the second field the image that needs no training.
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  // k-space as complex numbers {coils, H, W} or {slices, coils, H, W} of a file, which read_volume gives as {coils, H, W, 2 slices}; W is
  // the axis of phase encoding, frequency 0 is in the middle, and what is 0 in all coils was not measured.
  std::optional<Preprocessed> measurements(const Volume&, const std::string& name) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
 protected:
  ScoreRange range() const override { return ScoreRange::largest; }  // as fastMRI

 private:
  std::vector<Field> reconstructed(const Network&, const Tensor& image, const Rng&, const PredictOptions&) const;
  Tensor from_kspace(const Network&, const Tensor& kspace, const PredictOptions&) const;
  ReconstructionOptions options_;
};

}  // namespace voxgrad
