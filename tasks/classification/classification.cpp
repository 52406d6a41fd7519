#include "tasks/classification/classification.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "tasks/case_picture.h"
#include "tasks/classification/class_losses.h"
#include "tasks/classification/class_meter.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClass = "class";

// Its name, or the names of several with "; " between.
std::string class_names(const Json& result) {
  if (result.contains("class")) return result["class"].get<std::string>();
  std::string names;
  for (auto& name : result["classes"]) names += (names.empty() ? "" : "; ") + name.get<std::string>();
  return names;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", v);
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
  const std::string file = (d.root / "dataset.json").string();
  check(d.labels.size() >= 2, file, ": declares ", d.labels.size(), " classes in \"labels\", at least two are wanted");
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
  const double share = batch.at("share").item();
  return add(affine(of(kClass), share, 0), affine(of(std::string(kClass) + "_mixed"), 1 - share, 0));
}

Batch Classification::prepare(const Batch& batch, const Rng& rng) const { return mixed(batch, options_.mixing, rng); }

Double3 Classification::centre(const Case& c, const Int3& patch, bool forced, Rng rng) const {
  if (options_.input == "patch") return Task::centre(c, patch, forced, rng);
  Double3 centre;
  for (int a = 0; a < 3; ++a) {
    const int begin = middle_begin(c.places.size[a], patch[a]);
    const double reach = patch[a] > 1 ? options_.shift * patch[a] : 0;
    centre[size_t(a)] = begin + (patch[a] - 1) / 2.0 + double(std::lround(rng.uniform(-reach, reach)));
  }
  return centre;
}

std::vector<double> Classification::probabilities(const Network& net, const ModelDescription& d, const Tensor& image,
                                                  const PredictOptions& o) const {
  if (options_.input != "patch") return class_probabilities(predict_values(net, d, image, o).values(), target());
  const Tensor tiles = predict_tile_values(net, d, image, o);
  std::vector<double> mean(size_t(tiles.dim(1)));
  for (int64_t t = 0; t < tiles.dim(0); ++t) {
    const std::vector<double> p = class_probabilities(tiles.rows(t, t + 1).values(), target());
    for (size_t k = 0; k < mean.size(); ++k) mean[k] += p[k] / double(tiles.dim(0));
  }
  return mean;
}

std::vector<Field> Classification::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  return {{kClass, DataKind::values, Tensor::from(probabilities(net, d, c.sample.image(), o), {d.traits.out_channels})}};
}

std::unique_ptr<Meter> Classification::meter(const std::vector<std::string>& outputs) const {
  return class_meter(int(outputs.size()));
}

Result Classification::apply(const Model& model, const Preprocessed& image, const PredictOptions& o) const {
  const std::vector<double> p = probabilities(model.net, model.description, image.image, o);
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

std::vector<fs::path> Classification::files(const fs::path& stem, const std::string&) const { return {stem.string() + ".json"}; }

void Classification::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  write_json(files(stem, ending)[0], parse_json(r.json, "result"));
}

void Classification::write_summary(const fs::path& folder, const std::vector<std::pair<std::string, std::string>>& cases) const {
  std::string text;
  for (auto& [id, json] : cases) {
    const Json j = parse_json(json, "result");
    if (text.empty()) {
      text = "case,class";
      for (auto& [name, p] : j["probabilities"].items()) text += "," + name;
      text += "\n";
    }
    text += id + "," + class_names(j);
    for (auto& [name, p] : j["probabilities"].items()) text += "," + number(p.get<double>());
    text += "\n";
  }
  write_text_file(folder / "predictions.csv", text);
}

Picture Classification::picture(const Volume& image, const Result& result, const Volume&, const std::string& title,
                                const ModelDescription& d) const {
  const Json j = parse_json(result.json, "result");
  const std::string names = class_names(j);
  const bool one = j["probabilities"].contains(names);
  return case_picture({.image = image,
                       .prediction = {},
                       .reference = {},
                       .title = title + ": " + names + (one ? " (" + number(j["probabilities"][names].get<double>()) + ")" : ""),
                       .label_names = {},
                       .window = window_for(d)});
}

}  // namespace voxgrad
