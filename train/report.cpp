#include "train/report.h"

#include <cmath>
#include <fstream>

#include "core/config/json_values.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

constexpr const char* kValidation = "validation_";

Curve& curve_named(std::vector<Curve>& curves, const std::string& name) {
  for (Curve& c : curves)
    if (c.name == name) return c;
  return curves.emplace_back(Curve{.name = name});
}

void add_point(std::vector<Curve>& curves, const std::string& name, double x, const Json& y) {
  if (!y.is_number()) return;
  Curve& c = curve_named(curves, name);
  c.x.push_back(x);
  c.y.push_back(y.get<double>());
}

}  // namespace

Picture training_curves(const std::filesystem::path& metrics_jsonl) {
  std::ifstream in(metrics_jsonl);
  std::vector<Curve> loss, score, rate;
  std::string name;
  for (std::string line; std::getline(in, line);) {
    const Json j = Json::parse(line, nullptr, false);
    if (!j.is_object() || !j.contains("step") || !j["step"].is_number()) continue;
    const double step = j["step"].get<double>();
    if (j.contains("loss")) add_point(loss, "loss", step, j["loss"]);
    if (j.contains("learning_rate")) add_point(rate, "learning rate", step, j["learning_rate"]);
    for (const auto& [key, value] : j.items()) {
      if (!key.starts_with(kValidation)) continue;
      name = key.substr(std::string(kValidation).size());
      add_point(score, "mean", step, value);
      if (j.contains(name) && j[name].is_object())
        for (const auto& [part, of_part] : j[name].items()) add_point(score, part, step, of_part);
    }
  }
  std::vector<Picture> plots;
  if (!loss.empty()) plots.push_back(plot_curves(loss, {.title = "training loss", .x_label = "step"}));
  if (!score.empty()) plots.push_back(plot_curves(score, {.title = "validation " + name, .x_label = "step"}));
  if (!rate.empty()) plots.push_back(plot_curves(rate, {.title = "learning rate", .x_label = "step", .height = 240}));
  if (plots.empty()) plots.push_back(plot_curves({}, {.title = "no steps yet", .x_label = "step"}));
  return stack_pictures(plots);
}

}  // namespace voxgrad
