#include "train/report.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/json_file.h"

namespace voxgrad {
namespace {

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

std::optional<Window> window_for(const ModelDescription& d) {
  if (d.normalization.empty() || d.normalization[0].kind != "ct") return {};
  return Window{-160, 240};
}

Picture case_picture(const CasePicture& p) {
  std::vector<OverviewColumn> columns = {{.title = "image"}};
  const auto add = [&](const char* title, const Volume& v) {
    if (!v.data) return;
    const Volume canonical = to_canonical(v);
    columns.push_back({title, canonical.data});
  };
  add("prediction", p.prediction);
  add("reference", p.reference);
  return slice_overview(to_canonical(p.image), columns, {.window = p.window, .label_names = p.label_names, .title = p.title});
}

Picture training_curves(const std::filesystem::path& metrics_jsonl) {
  std::ifstream in(metrics_jsonl);
  std::vector<Curve> loss, dice, rate;
  for (std::string line; std::getline(in, line);) {
    const Json j = Json::parse(line, nullptr, false);
    if (!j.is_object() || !j.contains("step") || !j["step"].is_number()) continue;
    const double step = j["step"].get<double>();
    if (j.contains("loss")) add_point(loss, "loss", step, j["loss"]);
    if (j.contains("learning_rate")) add_point(rate, "learning rate", step, j["learning_rate"]);
    if (j.contains("validation_dice")) add_point(dice, "mean", step, j["validation_dice"]);
    if (j.contains("dice") && j["dice"].is_object())
      for (const auto& [label, value] : j["dice"].items()) add_point(dice, label, step, value);
  }
  std::vector<Picture> plots;
  if (!loss.empty()) plots.push_back(plot_curves(loss, {.title = "training loss", .x_label = "step"}));
  if (!dice.empty()) plots.push_back(plot_curves(dice, {.title = "validation Dice", .x_label = "step"}));
  if (!rate.empty()) plots.push_back(plot_curves(rate, {.title = "learning rate", .x_label = "step", .height = 240}));
  if (plots.empty()) plots.push_back(plot_curves({}, {.title = "no steps yet", .x_label = "step"}));
  return stack_pictures(plots);
}

}  // namespace voxgrad
