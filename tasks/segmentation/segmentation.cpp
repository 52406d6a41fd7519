#include "tasks/segmentation/segmentation.h"

#include "core/autograd.h"
#include "io/image.h"
#include "io/json_file.h"
#include "layers/losses.h"
#include "tasks/case_picture.h"
#include "tasks/segmentation/evaluate_files.h"

namespace voxgrad {
namespace {

constexpr const char* kLabel = "label";

// Dice of each foreground class, averaged over the cases that have it, and the mean of these.
class DiceMeter : public Meter {
 public:
  explicit DiceMeter(const std::vector<std::string>& labels) : labels_(labels), by_class_(labels.size()) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const std::vector<Confusion> counts = confusion(prediction.at(0).data, c.sample.at(kLabel), int(labels_.size()));
    for (size_t k = 1; k < labels_.size(); ++k) by_class_[k].push_back(counts[k].dice());
  }
  Scores scores() const override {
    Scores s{.name = "dice", .text = "Dice"};
    std::vector<double> means;
    for (size_t k = 1; k < labels_.size(); ++k) {
      means.push_back(nan_mean(by_class_[k]));
      s.parts.emplace_back(labels_[k], means.back());
    }
    s.value = nan_mean(means);
    return s;
  }

 private:
  std::vector<std::string> labels_;
  std::vector<std::vector<double>> by_class_;  // per case; NaN where a class is in neither
};

}  // namespace

std::vector<Field> Segmentation::targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>& labels) const {
  check(!c.label.empty(), "segmentation: the case ", c.id, " has no label");
  return {{kLabel, DataKind::labels,
           preprocess_label(read_volume(c.label, {.labels = true}), g, int(labels.size()), c.label.string(),
                            c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse)}};
}

ForegroundIndex Segmentation::places(const Sample& sample) const { return find_foreground(sample.at(kLabel), Rng(1234)); }

std::vector<std::string> Segmentation::outputs(const Dataset& d) const {
  const std::string file = (d.root / "dataset.json").string();
  check(d.labels.size() >= 2 && d.labels.size() <= 256, file, ": declares ", d.labels.size(),
        " labels with the background, from 2 to 256 can be trained");
  for (auto& c : d.cases) check(!c.label.empty(), file, ": the case ", c.id, " has no label");
  return d.labels;
}

Tensor Segmentation::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  return deep_supervision_loss(outputs, batch.at(kLabel),
                               {.dice_weight = options_.dice_weight, .cross_entropy_weight = options_.cross_entropy_weight});
}

std::vector<Field> Segmentation::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  return {{kLabel, DataKind::labels, argmax_labels(predict_volume(net, d, c.sample.image(), o))}};
}

std::unique_ptr<Meter> Segmentation::meter(const std::vector<std::string>& outputs) const { return std::make_unique<DiceMeter>(outputs); }

Result Segmentation::apply(const Model& model, const Volume& v, const std::string& name, const PredictOptions& o) const {
  return {.volume = predict_labels(model.net, model.description, v, name, o)};
}

std::vector<std::filesystem::path> Segmentation::files(const std::filesystem::path& stem, const std::string& ending) const {
  return {stem.string() + ending};
}

void Segmentation::write(const Result& r, const std::filesystem::path& stem, const std::string& ending) const {
  write_volume(files(stem, ending)[0], r.volume);
}

Picture Segmentation::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                              const ModelDescription& d) const {
  return case_picture({.image = image,
                       .prediction = result.volume,
                       .reference = reference,
                       .title = title,
                       .label_names = d.labels,
                       .window = window_for(d)});
}

Task::Evaluated Segmentation::evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                                       const EvaluateOptions& o) const {
  const Evaluation e = evaluate_files(predictions, references, o);
  return {table_of(e), json_text(to_json(e))};
}

Volume predict_labels(const Network& net, const ModelDescription& d, const Volume& v, const std::string& name, const PredictOptions& o) {
  Inference quiet;
  const Preprocessed p = preprocess(v, d, name);
  if (p.geometry.working != p.geometry.box) return restore_labels(predict_volume(net, d, p.image, o), p.geometry);
  // Without resampling no more than a patch's depth of logits needs to exist.
  const ArgmaxRows argmax(p.image);
  predict_rows(net, d, p.image, o, argmax);
  return restore_labels(argmax.labels, p.geometry);
}

Volume restore_labels(const Tensor& x, const Geometry& g) {
  return in_file_axes(x.dtype() == DType::u8 ? x : argmax_labels(at_file_spacing(x, g)), g);
}

}  // namespace voxgrad
