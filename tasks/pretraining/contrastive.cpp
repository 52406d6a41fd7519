#include "tasks/pretraining/contrastive.h"

#include <cmath>
#include <numeric>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/slice/slice.h"
#include "layers/losses.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

std::vector<double> unit(std::vector<double> v) {
  double square = 0;
  for (double x : v) square += x * x;
  for (double& x : v) x /= std::sqrt(std::max(square, 1e-24));
  return v;
}

class RetrievalMeter : public Meter {
 public:
  void add(const Case&, const std::vector<Field>& prediction) override {
    first_.push_back(unit(prediction.at(0).data.values()));
    second_.push_back(unit(prediction.at(1).data.values()));
  }
  Scores scores() const override {
    double found = 0;
    for (size_t i = 0; i < first_.size(); ++i) {
      const double own = similarity(i, i);
      size_t others = 0;
      for (size_t j = 0; j < second_.size(); ++j) others += j != i && similarity(i, j) >= own;
      found += others == 0;
    }
    return {.name = "retrieval", .text = "retrieval of the other view", .value = first_.empty() ? NAN : found / double(first_.size())};
  }

 private:
  double similarity(size_t i, size_t j) const { return std::inner_product(first_[i].begin(), first_[i].end(), second_[j].begin(), 0.0); }
  std::vector<std::vector<double>> first_, second_;
};

// Seven eighths of an image {D, H, W, C}, from its first voxel or to its last one.
Tensor part_of_image(const Tensor& image, bool last) {
  Tensor out = image;
  for (int a = 0; a < 3; ++a) {
    const int64_t all = image.dim(a), part = std::max<int64_t>(1, all * 7 / 8);
    out = slice(out, a, last ? all - part : 0, last ? all : part);
  }
  return out;
}

}  // namespace

std::vector<std::string> Contrastive::outputs(const Dataset&) const {
  std::vector<std::string> out;
  for (int i = 0; i < options_.features; ++i) out.push_back("feature " + std::to_string(i));
  return out;
}

Tensor Contrastive::loss(const std::vector<Tensor>& outputs, const Batch&) const {
  check(outputs.at(0).dim(0) >= 4 && outputs[0].dim(0) % 2 == 0, "train.batch: ", outputs[0].dim(0),
        "; contrastive wants two views of each of at least two patches, so an even number from 4 on");
  return nt_xent(outputs[0], options_.temperature);
}

std::vector<Field> Contrastive::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Unrecorded quiet;
  std::vector<Field> out;
  for (bool last : {false, true})
    out.push_back({last ? "last" : "first", DataKind::values, predict_values(net, d, part_of_image(c.sample.image(), last), o)});
  return out;
}

std::unique_ptr<Meter> Contrastive::meter(const std::vector<std::string>&) const { return std::make_unique<RetrievalMeter>(); }

Result Contrastive::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  return {.volume = {}, .json = Json{{"embedding", unit(predict_values(model.net, model.description, p.image, o).values())}}.dump()};
}

std::vector<std::pair<std::string, std::string>> Contrastive::columns(const Json& result) const {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& v : result.at("embedding")) out.emplace_back(std::to_string(out.size()), v.dump());
  return out;
}

std::string Contrastive::in_words(const Json& result) const { return std::to_string(result.at("embedding").size()) + " features"; }

Task::Evaluated Contrastive::evaluate(const fs::path& predictions, const fs::path&, const EvaluateOptions&) const {
  fail(predictions.string(), ": embeddings have no references to be compared with; train another task from this model (train --from) and ",
       "evaluate that");
}

}  // namespace voxgrad
