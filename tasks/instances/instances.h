#pragma once
#include "tasks/detection/case_boxes.h"
#include "tasks/instances/instance_maps.h"
#include "tasks/task.h"

namespace voxgrad {

struct InstanceOptions {
  BoxSource source;     // of objects in label files
  double sigma_mm = 2;  // of the heat map of centres, also the unit of offsets
  double heat_weight = 0.3, offset_weight = 0.1;
  GroupingOptions grouping;
};

// A mask for each object: nuclei, lesions. The network gives classes with the background, a heat map of centres and offsets to these
// (instance_maps.h), the heat map as the sigmoid of an output less 3; it learns soft Dice + cross-entropy, squared differences and absolute
// differences. Objects come from label files as tasks/detection/case_boxes.h says. Results are masks whose values are objects, and beside
// them CASE.json with the class of each, in nnDetection's form; scores are panoptic qualities.
class Instances : public Task {
 public:
  explicit Instances(const InstanceOptions& o) : options_(o) {}

  // "class", "offsets", "heat" and "sigma" in voxels.
  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& outputs) const override;
  std::string decides_targets() const override;
  ForegroundIndex places(const Sample&) const override;
  // Background, classes, centre and offsets.
  std::vector<std::string> outputs(const Dataset&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "masks of objects"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 private:
  NumberedObjects objects_in(const Network&, const ModelDescription&, const Tensor& image, const Vec3& spacing,
                             const PredictOptions&) const;

  InstanceOptions options_;
};

std::string describe_instance_scores();

}  // namespace voxgrad
