#pragma once
#include "tasks/classification/class_targets.h"
#include "tasks/classification/mixing.h"
#include "tasks/values/image_input.h"
#include "tasks/values/values.h"

namespace voxgrad {

struct ClassificationOptions {
  std::string target = "auto";  // single, multi_label or ordinal; auto: multi_label where the data set has lists of classes, else single
  std::string weighting = "none";         // none or balanced, of which class_weights are made
  std::vector<double> class_weights = {};  // one for each class; empty: none
  double label_smoothing = 0, focal_gamma = 0;
  MixingOptions mixing = {};
  ImageInput image = {};
  double temperature = 1;  // that logits are divided by (tasks/classification/temperature.h)
};

// Classes of an image (class_targets.h says of which kinds): the whole image (its middle where it is larger than the patch) to a row of
// logits, or with input=patch the mean of what overlapping patches say. A case of dataset.json has a "class" (or a "label" that is no
// file): a name, or a number that counts the names in "labels"; where there may be several, a list of them. Results are JSON,
// {"class": name, "probabilities": {name: p}}, with multi_label "classes": [name, ..], those above one half.
class Classification : public ValuesTask {
 public:
  explicit Classification(const ClassificationOptions&);

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& labels) const override;
  std::vector<std::string> outputs(const Dataset&) const override;
  std::vector<int> classes(const DatasetCase&, const std::vector<std::string>& labels) const override;
  Double3 centre(const Case&, const Int3& patch, bool forced, Rng) const override;
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "classes"; }
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

  ClassTarget target() const;

 protected:
  std::vector<std::pair<std::string, std::string>> columns(const Json& result) const override;
  std::string in_words(const Json& result) const override;

 private:
  // The mean over the rows.
  std::vector<double> probabilities(const Tensor& logits, double temperature) const;

  ClassificationOptions options_;
};

}  // namespace voxgrad
