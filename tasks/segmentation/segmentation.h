#pragma once
#include "tasks/segmentation/previous_stage.h"
#include "tasks/task.h"

namespace voxgrad {

struct SegmentationOptions {
  double dice_weight = 1, cross_entropy_weight = 1;  // of the loss
  double centreline_weight = 0;                      // of soft clDice (layers/cl_dice.h) at full resolution, for vessels and other nets
  std::string batch_dice = "auto";  // "true": soft Dice of all patches of a batch together; auto: as a plan says, else not
  LabelMap map = {};                                 // what label values mean beside classes
  // Of a second stage: the values of the first stage's mask that are channels, and how that is changed in training
  // (tasks/segmentation/previous_stage.h).
  std::vector<int> previous_labels = {};
  PreviousChanges previous = {};
};

// A label for each voxel, as nnU-Net: soft Dice + cross-entropy with deep supervision (Isensee et al. 2021), patches of which some are
// centred on labelled voxels, sliding-window prediction, Dice by class. With regions (LabelMap) an output is one of them, the loss is soft
// Dice + binary cross-entropy, patches are centred on regions, Dice is by region. The targets of a case are its label map, "label", with
// the values of its file; where one is ignored, all patches are centred on others. The second stage of a cascade sees the mask of the first
// one behind the channels of the image.
class Segmentation : public Task {
 public:
  explicit Segmentation(const SegmentationOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& labels) const override;
  ForegroundIndex places(const Sample&) const override;
  std::string decides_targets() const override;
  int ignored_label() const override { return options_.map.ignore; }
  std::vector<std::string> outputs(const Dataset&) const override;
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  Result finished(Result, const PredictOptions&) const override;
  const char* product() const override { return "masks"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 private:
  Tensor voxel_loss(const std::vector<Tensor>& outputs, const Batch&) const;  // by Dice and cross-entropy
  Tensor centreline_loss(const Tensor& logits, const Batch&) const;
  SegmentationOptions options_;
};

// The mask of an image: u8 {D, H, W, 1} in its geometry. `more` is given what the mask is made of as well: logits in rows of the box.
Volume predict_labels(const Network&, const ModelDescription&, const Preprocessed&, const PredictOptions&, const LabelMap& = {},
                      const RowSink& more = {});

// A result at working extents to a u8 volume {D, H, W, 1} with the geometry of the file: logits f32 {D, H, W, K}, which are resampled
// trilinearly before the argmax or the threshold of regions, or labels u8 {D, H, W} where working and canonical extents are the same.
Volume restore_labels(const Tensor& logits_or_labels, const Geometry&, const LabelMap& = {});

}  // namespace voxgrad
