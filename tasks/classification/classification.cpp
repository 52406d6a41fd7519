#include "tasks/classification/classification.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "tasks/classification/class_losses.h"
#include "tasks/classification/class_meter.h"

namespace voxgrad {
namespace {

constexpr const char* kClass = "class";

// Its name, or the names of several with "; " between.
std::string class_names(const Json& result) {
  if (result.contains("class")) return result["class"].get<std::string>();
  std::string names;
  for (auto& name : result["classes"]) names += (names.empty() ? "" : "; ") + name.get<std::string>();
  return names;
}

std::string number(double v, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

}  // namespace

Classification::Classification(const ClassificationOptions& o) : options_(o) {
  check(o.focal_gamma == 0 || (o.target != "ordinal" && o.label_smoothing == 0), "classification.focal_gamma goes with neither ",
        "label_smoothing nor ordinal targets");
  check(o.focal_gamma == 0 || o.target != "multi_label" || (o.weighting == "none" && o.class_weights.empty()),
        "classification.focal_gamma goes with no class_weights where target is multi_label");
}

ClassTarget Classification::target() const {
  if (options_.target == "multi_label") return ClassTarget::multi_label;
  return options_.target == "ordinal" ? ClassTarget::ordinal : ClassTarget::single;
}

std::vector<int> Classification::classes(const DatasetCase& c, const std::vector<std::string>& labels) const {
  const std::vector<int> known = classes_of(c, labels, c.images.at(0).string(), target());
  return known.empty() ? std::vector{int(labels.size())} : known;
}

std::vector<Field> Classification::targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>& labels) const {
  const std::vector<int> known = classes_of(c, labels, c.images.at(0).string(), target());
  if (target() != ClassTarget::multi_label) return {{kClass, DataKind::values, Tensor::from({double(known[0])}, {1}, DType::i32)}};
  std::vector<double> row(labels.size());
  for (int k : known) row[size_t(k)] = 1;
  return {{kClass, DataKind::values, Tensor::from(row, {int64_t(row.size())})}};
}

std::vector<std::string> Classification::outputs(const Dataset& d) const {
  const std::string file = source_of(d);
  check(d.labels.size() >= 2, file, ": declares ", d.labels.size(), " classes, at least two are wanted");
  for (auto& c : d.cases) classes_of(c, d.labels, file, target());
  return d.labels;
}

Tensor Classification::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const ClassLossOptions how{.target = target(),
                             .class_weights = options_.class_weights,
                             .label_smoothing = options_.label_smoothing,
                             .focal_gamma = options_.focal_gamma};
  const auto of = [&](const std::string& field) { return classification_loss(outputs.at(0), batch.at(field), how); };
  if (!batch.find("share")) return of(kClass);
  const Tensor first = of(kClass), share = batch.at("share").to(first.dtype()).reshape({});
  return add(mul(first, share), mul(of(std::string(kClass) + "_mixed"), affine(share, -1, 1)));
}

Batch Classification::prepare(const Batch& batch, const Rng& rng) const { return mixed(batch, options_.mixing, rng); }

Double3 Classification::centre(const Case& c, const Int3& patch, bool forced, Rng rng) const {
  return options_.image.input == "patch" ? Task::centre(c, patch, forced, rng) : middle_centre(options_.image, c, patch, rng);
}

std::vector<double> Classification::probabilities(const Tensor& logits, double temperature) const {
  std::vector<double> mean(size_t(logits.dim(1)));
  for (int64_t t = 0; t < logits.dim(0); ++t) {
    std::vector<double> z = logits.rows(t, t + 1).values();
    for (double& x : z) x /= temperature;
    const std::vector<double> p = class_probabilities(z, target());
    for (size_t k = 0; k < mean.size(); ++k) mean[k] += p[k] / double(logits.dim(0));
  }
  return mean;
}

std::vector<Field> Classification::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Tensor z = image_outputs(options_.image, net, d, c.sample.image(), o);
  return {{kClass, DataKind::values, Tensor::from(probabilities(z, options_.temperature), {z.dim(1)})}, {"logits", DataKind::values, z}};
}

std::unique_ptr<Meter> Classification::meter(const std::vector<std::string>& outputs) const {
  return class_meter(int(outputs.size()), [self = *this](const Tensor& z, double t) { return self.probabilities(z, t); });
}

Result Classification::apply(const Model& model, const Preprocessed& image, const PredictOptions& o) const {
  const Tensor logits = image_outputs(options_.image, model.net, model.description, image.image, o);
  const std::vector<double> p = probabilities(logits, options_.temperature);
  const std::vector<std::string>& labels = model.description.labels;
  Json j;
  if (target() != ClassTarget::multi_label) {
    j["class"] = labels[size_t(std::max_element(p.begin(), p.end()) - p.begin())];
  } else {
    j["classes"] = Json::array();
    for (size_t k = 0; k < p.size(); ++k)
      if (p[k] > 0.5) j["classes"].push_back(labels[k]);
  }
  for (size_t k = 0; k < p.size(); ++k) j["probabilities"][labels[k]] = p[k];
  return {.volume = {}, .json = j.dump()};
}

std::vector<std::pair<std::string, std::string>> Classification::columns(const Json& result) const {
  std::vector<std::pair<std::string, std::string>> out = {{"class", class_names(result)}};
  for (auto& [name, p] : result["probabilities"].items()) out.emplace_back(name, number(p.get<double>(), "%.9g"));
  return out;
}

std::string Classification::in_words(const Json& result) const {
  const std::string names = class_names(result);
  const bool one = result["probabilities"].contains(names);
  return names + (one ? " (" + number(result["probabilities"][names].get<double>(), "%.4f") + ")" : "");
}

}  // namespace voxgrad
