#include "tasks/classification/classification.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/softmax/softmax.h"
#include "tasks/case_picture.h"
#include "tasks/classification/class_meter.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClass = "class";

int index_of(const Json& value, const std::vector<std::string>& labels, const std::string& where) {
  if (value.is_number_integer() && value.get<int64_t>() >= 0 && value.get<int64_t>() < int64_t(labels.size())) return value.get<int>();
  if (value.is_string())
    for (size_t k = 0; k < labels.size(); ++k)
      if (labels[k] == value.get<std::string>()) return int(k);
  std::string known;
  for (auto& l : labels) known += (known.empty() ? "" : ", ") + l;
  fail(where, ": the class ", value.dump().substr(0, 60), " is none of ", known, ", nor a number below ", labels.size());
}

std::vector<double> probabilities_of(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  return softmax(predict_values(net, d, image, o)).values();
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", v);
  return text;
}

}  // namespace

int class_of(const DatasetCase& c, const std::vector<std::string>& labels, const std::string& where) {
  const auto found = c.targets.contains(kClass) ? c.targets.find(kClass) : c.targets.find("label");
  check(found != c.targets.end(), where, ": the case ", c.id, " has no \"class\"");
  return index_of(parse_json(found->second, where), labels, where + ": case " + c.id);
}

std::vector<Field> Classification::targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>& labels) const {
  const int k = class_of(c, labels, c.images.at(0).string());
  return {{kClass, DataKind::values, Tensor::from({double(k)}, {1}, DType::i32)}};
}

std::vector<std::string> Classification::outputs(const Dataset& d) const {
  const std::string file = (d.root / "dataset.json").string();
  check(d.labels.size() >= 2, file, ": declares ", d.labels.size(), " classes in \"labels\", at least two are wanted");
  for (auto& c : d.cases) class_of(c, d.labels, file);
  return d.labels;
}

Tensor Classification::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor truth = batch.at(kClass);
  return cross_entropy(outputs.at(0), truth.reshape({truth.dim(0)}), {.label_smoothing = options_.label_smoothing});
}

std::vector<Field> Classification::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  return {{kClass, DataKind::values, Tensor::from(probabilities_of(net, d, c.sample.image(), o), {d.traits.out_channels})}};
}

std::unique_ptr<Meter> Classification::meter(const std::vector<std::string>& outputs) const {
  return class_meter(int(outputs.size()));
}

Result Classification::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const std::vector<double> probabilities = probabilities_of(model.net, model.description, p.image, o);
  const auto largest = std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
  Json j{{"class", model.description.labels[size_t(largest)]}};
  for (size_t k = 0; k < probabilities.size(); ++k) j["probabilities"][model.description.labels[k]] = probabilities[k];
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
    text += id + "," + j["class"].get<std::string>();
    for (auto& [name, p] : j["probabilities"].items()) text += "," + number(p.get<double>());
    text += "\n";
  }
  write_text_file(folder / "predictions.csv", text);
}

Picture Classification::picture(const Volume& image, const Result& result, const Volume&, const std::string& title,
                                const ModelDescription& d) const {
  const Json j = parse_json(result.json, "result");
  const std::string name = j["class"].get<std::string>();
  return case_picture({.image = image,
                       .prediction = {},
                       .reference = {},
                       .title = title + ": " + name + " (" + number(j["probabilities"][name].get<double>()) + ")",
                       .label_names = {},
                       .window = window_for(d)});
}

}  // namespace voxgrad
