#pragma once
#include "tasks/task.h"

namespace voxgrad {

struct ClassificationOptions {
  double label_smoothing = 0;
};

// One class for each image: softmax cross-entropy, the whole image (its middle where it is larger than the patch) to a row of logits. A
// case of dataset.json has a "class" (or a "label" that is no file): a name, or a number that counts the names in "labels".
class Classification : public Task {
 public:
  explicit Classification(const ClassificationOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& labels) const override;
  std::vector<std::string> outputs(const Dataset&) const override;
  bool dense() const override { return false; }
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "classes"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  void write_summary(const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>&) const override;
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 private:
  ClassificationOptions options_;
};

// The class that a case of dataset.json names, as a number. where: the file, for messages.
int class_of(const DatasetCase&, const std::vector<std::string>& labels, const std::string& where);

}  // namespace voxgrad
