#include "tasks/segmentation/froc/froc_report.h"

#include <cmath>
#include <cstdio>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/picture/picture.h"

namespace voxgrad {

FrocReport write_froc(const Evaluation& e, const std::filesystem::path& prefix) {
  const size_t classes = e.cases.empty() ? 0 : e.cases[0].classes.size();
  std::vector<std::string> names;
  std::vector<Froc> curves;
  std::vector<Curve> drawn;
  Json json = Json::object();
  FrocReport out{.table = "lesions found at so many false positives per volume, and their mean\nclass", .json = ""};
  char text[80];
  for (double rate : kFrocRates) {
    std::snprintf(text, sizeof text, "  %6g", rate);
    out.table += text;
  }
  out.table += "    mean  lesions\n";
  for (size_t k = 0; k < classes; ++k) {
    const size_t label = size_t(e.cases[0].classes[k].label);
    names.push_back(label < e.label_names.size() ? e.label_names[label] : "class " + std::to_string(label));
    std::vector<FrocCase> cases;
    for (const CaseScores& c : e.cases) cases.push_back(k < c.froc.size() ? c.froc[k] : FrocCase{});
    const Froc& f = curves.emplace_back(froc_of(cases));
    Json at = Json::object();
    out.table += std::to_string(label) + " " + names.back();
    for (size_t i = 0; i < kFrocRates.size(); ++i) {
      std::snprintf(text, sizeof text, "%g", kFrocRates[i]);
      at[text] = finite_or_null(f.at[i]);
      std::snprintf(text, sizeof text, "  %6.4f", f.at[i]);
      out.table += text;
    }
    std::snprintf(text, sizeof text, "  %6.4f  %lld\n", f.mean, static_cast<long long>(f.lesions));
    out.table += text;
    json[names.back()] = {{"lesions", f.lesions}, {"volumes", f.volumes}, {"CPM", finite_or_null(f.mean)}, {"sensitivity", at}};
    Curve curve{.name = names.back(), .x = {}, .y = f.sensitivity};
    for (double x : f.false_positives) curve.x.push_back(std::log2(x));
    drawn.push_back(curve);
  }
  out.json = json.dump();
  write_text_file(prefix.string() + ".csv", csv_of(names, curves));
  write_png(prefix.string() + ".png",
            plot_curves(drawn, {.title = "FROC", .x_label = "log2 of false positives per volume", .y_label = "sensitivity"}));
  return out;
}

}  // namespace voxgrad
