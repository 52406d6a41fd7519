#pragma once
#include "tasks/values/values.h"

namespace voxgrad {

struct ContrastiveOptions {
  int features = 128;        // of an embedding
  double temperature = 0.5;  // of NT-Xent
};

// Pre-training on images alone: a network that gives values per image learns embeddings, those of two views of a patch (the augmentation's)
// alike and those of other patches of the batch not (SimCLR, Chen et al. 2020: layers/losses.h, nt_xent). Its encoder starts others by
// transfer.from. The score is the part of the validation cases one view of which is more similar to the other than to that of any other
// case.
class Contrastive : public ValuesTask {
 public:
  explicit Contrastive(const ContrastiveOptions& options) : options_(options) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<std::string> outputs(const Dataset&) const override;
  int views() const override { return 2; }
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  // Embeddings of two views: the image from its first voxel and to its last one, with 7/8 of its extents.
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  // {"embedding": [..]}, of length 1.
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "embeddings"; }
  // An Error: there are no references for embeddings.
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 protected:
  std::vector<std::pair<std::string, std::string>> columns(const Json& result) const override;
  std::string in_words(const Json& result) const override;

 private:
  ContrastiveOptions options_;
};

}  // namespace voxgrad
