#include "tasks/segmentation/segmentation.h"

#include "core/autograd.h"
#include "infer/resampled_rows.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "kernels/concat/concat.h"
#include "kernels/index_select/index_select.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/slice/slice.h"
#include "kernels/softmax/softmax.h"
#include "layers/cl_dice.h"
#include "layers/losses.h"
#include "tasks/case_picture.h"
#include "tasks/segmentation/evaluate_files.h"
#include "tasks/segmentation/evaluation_statistics.h"
#include "tasks/segmentation/froc/froc_report.h"
#include "tasks/segmentation/postprocessing/choose_postprocessing.h"
#include "tasks/segmentation/probability_rows.h"

namespace voxgrad {
namespace {

constexpr const char* kLabel = "label";

// Dice of each foreground class or region, averaged over the cases that have it, and the mean of these.
class DiceMeter : public Meter {
 public:
  DiceMeter(const std::vector<std::string>& outputs, const LabelMap& map)
      : map_(map), first_(map.regions.empty() ? 1 : 0), outputs_(outputs), dice_(outputs.size()) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const Tensor &predicted = prediction.at(0).data, &real = c.sample.at(kLabel);
    std::vector<Confusion> counts;
    if (map_.regions.empty()) counts = confusion(predicted, real, int(outputs_.size()), map_.ignore);
    for (auto& r : map_.regions) counts.push_back(confusion_of(r, predicted, real, map_.ignore));
    for (size_t k = first_; k < outputs_.size(); ++k) dice_[k].push_back(counts[k].dice());
  }
  Scores scores() const override {
    Scores s{.name = "dice", .text = "Dice"};
    std::vector<double> means;
    for (size_t k = first_; k < outputs_.size(); ++k) {
      means.push_back(nan_mean(dice_[k]));
      s.parts.emplace_back(outputs_[k], means.back());
    }
    s.value = nan_mean(means);
    return s;
  }

 private:
  LabelMap map_;
  size_t first_;  // behind the background
  std::vector<std::string> outputs_;
  std::vector<std::vector<double>> dice_;  // per case; NaN where a class is in neither
};

}  // namespace

std::vector<Field> Segmentation::targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>& labels) const {
  check(!c.label.empty(), "segmentation: the case ", c.id, " has no label");
  return {{kLabel, DataKind::labels,
           preprocess_label(read_volume(c.label, {.labels = true}), g, int(labels.size()), c.label.string(),
                            c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse, options_.map)}};
}

std::string Segmentation::decides_targets() const {
  const Json used{{"kind", "segmentation"}, {"ignore_label", options_.map.ignore}, {"regions", json_of_regions(options_.map.regions)}};
  return used.dump();
}

ForegroundIndex Segmentation::places(const Sample& sample) const {
  ForegroundOptions o;
  for (auto& r : options_.map.regions) o.regions.push_back(r.values);
  o.annotated = options_.map.ignore >= 0;
  if (o.annotated) o.ignore_label = options_.map.ignore;
  return find_foreground(sample.at(kLabel), Rng(1234), o);
}

std::vector<std::string> Segmentation::outputs(const Dataset& d) const {
  const std::string file = source_of(d);
  const LabelMap& map = options_.map;
  check_all_labelled(d);
  if (!map.regions.empty()) {
    std::vector<std::string> names;
    for (auto& r : map.regions) names.push_back(r.name);
    return names;
  }
  check(map.ignore < 0 || map.ignore >= int(d.labels.size()), file, ": the label ", map.ignore, ", which is ignored, is the class \"",
        map.ignore < 0 ? "" : d.labels[size_t(map.ignore) % d.labels.size()], "\"");
  check(d.labels.size() >= 2 && d.labels.size() <= 256, file, ": declares ", d.labels.size(),
        " labels with the background, from 2 to 256 can be trained");
  return d.labels;
}

Batch Segmentation::prepare(const Batch& batch, const Rng& rng) const {
  if (options_.previous_labels.empty()) return batch;
  const Tensor mask = batch.at(kPreviousStage).to(Device{});
  const Tensor seen = one_hot(mask, options_.previous_labels);
  for (int64_t n = 0; n < seen.dim(0); ++n) change_previous(seen.rows(n, n + 1), options_.previous, rng.at(uint64_t(n)));
  Batch out = batch;
  out.image = concat({batch.image, seen.to(batch.image.device())}, -1);
  return out;
}

// What is ignored counts as background in the prediction too.
Tensor Segmentation::centreline_loss(const Tensor& logits, const Batch& batch) const {
  const LabelMap& map = options_.map;
  const int64_t classes = logits.dim(4);
  const Tensor& label = batch.at(kLabel);
  Tensor x = logits.to(accum_of(logits.dtype())), members;
  if (map.regions.empty()) {
    x = slice(softmax(x), 4, 1, classes);
    members = Tensor::zeros({256, classes - 1});
    for (int64_t k = 1; k < classes; ++k) members.mutable_data<float>()[size_t(k * (classes - 1) + k - 1)] = 1;
  } else {
    x = sigmoid(x);
    members = membership_table(map);
  }
  const Tensor wanted = embedding(members.to(label.device()), label).to(x.dtype());
  if (map.ignore < 0) return soft_cl_dice_loss(x, wanted);
  const Tensor known = not_equal(label, map.ignore).to(x.dtype());
  const Shape s = label.shape();
  const Tensor mask = known.reshape({s[0], s[1], s[2], s[3], 1});
  return soft_cl_dice_loss(x * mask, wanted * mask);
}

Tensor Segmentation::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  if (options_.centreline_weight == 0) return voxel_loss(outputs, batch);
  const Tensor centreline = centreline_loss(outputs.at(0), batch) * options_.centreline_weight;
  return voxel_loss(outputs, batch) + centreline;
}

Tensor Segmentation::voxel_loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const LabelMap& map = options_.map;
  const double dice = options_.dice_weight, cross_entropy = options_.cross_entropy_weight;
  const bool together = options_.batch_dice == "true";
  if (map.regions.empty())
    return deep_supervision_loss(outputs, batch.at(kLabel),
                                 DiceCrossEntropyOptions{.dice_weight = dice,
                                                         .cross_entropy_weight = cross_entropy,
                                                         .dice = {.batch_dice = together, .ignore_label = map.ignore},
                                                         .cross_entropy = {.ignore_label = map.ignore}});
  return deep_supervision_loss(outputs, batch.at(kLabel), membership_table(map).to(outputs[0].device()),
                               {.dice_weight = dice,
                                .cross_entropy_weight = cross_entropy,
                                .batch_dice = together,
                                .ignore_label = map.ignore});
}

std::vector<Field> Segmentation::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Field* previous = c.sample.find(kPreviousStage);
  const Tensor image = previous ? with_previous_stage(c.sample.image(), previous->data, d.previous_labels) : c.sample.image();
  const Tensor logits = predict_volume(net, d, image, o);
  return {{kLabel, DataKind::labels, options_.map.regions.empty() ? argmax_labels(logits) : region_labels(logits, options_.map)}};
}

std::unique_ptr<Meter> Segmentation::meter(const std::vector<std::string>& outputs) const {
  return std::make_unique<DiceMeter>(outputs, options_.map);
}

Result Segmentation::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  if (o.probabilities.empty()) return {.volume = predict_labels(model.net, model.description, p, o, options_.map)};
  const ModelDescription& d = model.description;
  const bool resampled = p.geometry.working != p.geometry.box;
  check(!resampled || d.restoring != "labels", o.probabilities.string(), ": the model brings labels back to the spacing of the file, ",
        "not outputs, so there are no probabilities there");
  ProbabilityRows probabilities(o.probabilities, p.geometry, options_.map, resampled && d.restoring == "probabilities");
  Result out{.volume = predict_labels(model.net, model.description, p, o, options_.map, std::ref(probabilities))};
  out.probabilities = probabilities.file();
  return out;
}

Result Segmentation::finished(Result r, const PredictOptions& o) const {
  if (o.postprocessing.empty()) return r;
  const Shape s = r.volume.data.shape();
  Tensor mask = r.volume.data.reshape({s[0], s[1], s[2]}).clone();
  voxgrad::apply(read_postprocessing(o.postprocessing), mask, r.volume.spacing());
  r.volume.data = mask.reshape(s);
  return r;
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
                       .label_names = names_of_values(options_.map, d.labels),
                       .window = window_for(d)});
}

Task::Evaluated Segmentation::evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                                       const EvaluateOptions& o) const {
  const Evaluation e = evaluate_files(predictions, references, o);
  std::string table = table_of(e);
  if (!o.choose_postprocessing.empty()) table += "\n" + choose_postprocessing(predictions, references, e, o);
  Json json = to_json(e);
  if (!o.froc.empty()) {
    const FrocReport froc = write_froc(e, o.froc);
    json["froc"] = parse_json(froc.json, "the curves");
    table += "\n" + froc.table;
  }
  BootstrapOptions how = {.seed = o.seed};
  if (o.resamples > 0) {
    how.resamples = o.resamples;
    const Intervals i = intervals_of(e, how);
    json["mean_intervals"] = parse_json(i.json, "the intervals");
    table += "\nmeans over the cases with their 95 % intervals, bootstrapped\n" + i.table;
  }
  if (!o.versus.empty()) {
    EvaluateOptions other = o;
    other.probabilities.clear();
    other.froc.clear();
    check(o.probabilities.empty(), "evaluate: a comparison with other predictions has no probabilities of these");
    const Intervals c = comparison_of(e, evaluate_files(o.versus, references, other), how);
    json["comparison"] = parse_json(c.json, "the comparison");
    table += "\ncompared with " + o.versus.string() + ": means, difference with its 95 % interval, Wilcoxon's signed-rank p\n" + c.table;
  }
  return {table, json_text(json), csv_of(e)};
}

Volume predict_labels(const Network& net, const ModelDescription& d, const Preprocessed& p, const PredictOptions& o,
                      const LabelMap& map, const RowSink& more) {
  Inference quiet;
  // Outputs are resampled and compared slab by slab: those of the whole image never exist.
  const Geometry& g = p.geometry;
  const Tensor image = network_input(p, d);
  const bool nearest = d.restoring == "labels";
  const auto streamed = [&](const auto& labels) {
    const RowSink sink = [&](int64_t first, int64_t rows, const float* x, int64_t k) {
      labels(first, rows, x, k);
      if (more) more(first, rows, x, k);
    };
    if (g.working == g.box || nearest) predict_rows(net, d, image, o, sink);
    else {
      ResampledRows resampled(to_file_spacing(g), sink);
      const RowSink to = [&](int64_t first, int64_t rows, const float* x, int64_t k) { resampled(first, rows, x, k); };
      predict_rows(net, d, image, o, d.restoring == "probabilities" ? softmax_rows(to, g.working) : to);
    }
    return in_file_axes(nearest ? nearest_at_file_spacing(labels.labels, g) : labels.labels, g);
  };
  const Int3& size = nearest ? g.working : g.box;
  return map.regions.empty() ? streamed(ArgmaxRows(size)) : streamed(RegionRows(size, map));
}

Volume restore_labels(const Tensor& x, const Geometry& g, const LabelMap& map) {
  if (x.dtype() == DType::u8) return in_file_axes(x, g);
  const Tensor logits = at_file_spacing(x, g);
  return in_file_axes(map.regions.empty() ? argmax_labels(logits) : region_labels(logits, map), g);
}

}  // namespace voxgrad
