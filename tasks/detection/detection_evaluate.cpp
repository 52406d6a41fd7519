#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "tasks/detection/box_judge.h"
#include "tasks/detection/detection.h"
#include "tasks/statistics/score_table.h"
#include "tasks/values/case_results.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct JudgedCases {
  std::vector<std::string> ids, classes;
  std::vector<JudgedBoxes> images;
};

std::vector<ObjectBox> with_volume(std::vector<ObjectBox> boxes) {
  std::erase_if(boxes, [](const ObjectBox& b) {
    const Double3 s = b.size();
    return !(s[0] > 0 && s[1] > 0 && s[2] > 0);
  });
  return boxes;
}

// What the model that gave a result looks for: its classes, and what is an object of them.
BoxSource source_of(const Json& j, const Dataset& data, std::vector<std::string>& classes, const std::string& where) {
  BoxSource out;
  const Json names = j.value("labels", Json(classes)), objects = j.value("objects", Json(out.objects));
  const Json least = j.value("min_voxels", Json(out.min_voxels));
  check(names.is_array() && !names.empty(), where, ": \"labels\" are no names of classes");
  classes.clear();
  for (auto& name : names) classes.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  check(objects == "components" || objects == "labels", where, ": \"objects\" are ", objects.dump().substr(0, 40));
  check(least.is_number_integer() && least.get<int64_t>() > 0, where, ": \"min_voxels\" is ", least.dump().substr(0, 40));
  out.objects = objects.get<std::string>();
  out.min_voxels = least.get<int64_t>();
  return with_classes(out, data, classes);
}

JudgedCases judged_cases(const fs::path& predictions, const fs::path& references, bool partial) {
  const Dataset data = read_dataset(references);
  JudgedCases out{.ids = {}, .classes = box_classes(data), .images = {}};
  BoxSource source;
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = has_boxes})) {
    const Json j = parse_json(r.json, r.where);
    check(j.contains("boxes"), r.where, ": has no \"boxes\"");
    if (out.ids.empty()) source = source_of(j, data, out.classes, r.where);
    const Grid grid = image_grid(*r.of);
    JudgedBoxes one{.found = with_volume(listed_boxes(j["boxes"], out.classes, {}, r.where)),
                    .real = with_volume(case_boxes(*r.of, grid, out.classes, source)),
                    .spacing = grid.affine.spacing()};
    out.ids.push_back(r.of->id);
    out.images.push_back(std::move(one));
  }
  return out;
}

std::string csv_of_cases(const JudgedCases& v, const BoxJudge& judge) {
  std::string out = "case,real,found,false_positives,centre_error_mm\n";
  for (size_t i = 0; i < v.ids.size(); ++i) {
    const BoxJudge::Counts c = judge.counts(i);
    char line[120];
    std::snprintf(line, sizeof line, ",%lld,%lld,%lld,", static_cast<long long>(c.real), static_cast<long long>(c.found),
                  static_cast<long long>(c.wrong));
    out += csv_field(v.ids[i]) + line;
    if (std::isfinite(judge.centre_error(i))) std::snprintf(line, sizeof line, "%.4g", judge.centre_error(i)), out += line;
    out += "\n";
  }
  return out;
}

}  // namespace

Task::Evaluated Detection::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const JudgedCases here = judged_cases(predictions, references, o.partial);
  const BoxJudge judge(here.images, here.classes);
  const BootstrapOptions bootstrap{.resamples = o.resamples, .seed = o.seed};
  const int64_t n = int64_t(here.ids.size());
  const std::vector<std::string> keys = judge.keys();
  const auto scores = resampled_scores(
      n, [&](auto& counts) { return judge.scores(counts); }, bootstrap);
  Json json{{"cases", n}};
  std::vector<ScoreRow> rows;
  for (size_t i = 0; i < keys.size(); ++i) {
    json[keys[i]] = finite_or_null(scores[i].interval.value);
    if (o.resamples) json["intervals"][keys[i]] = json_of_interval(scores[i]);
    rows.push_back({keys[i], scores[i]});
  }
  for (size_t k = 0; k < kFrocRates.size(); ++k) json["froc_at"][score_text(kFrocRates[k], 3)] = finite_or_null(judge.froc().at[k]);
  Evaluated out{.table = std::to_string(n) + " cases\n" + score_table(rows), .json = {}};
  if (!o.versus.empty()) {
    const JudgedCases there = judged_cases(o.versus, references, o.partial);
    check(there.ids == here.ids, o.versus.string(), ": has not the same cases as ", predictions.string());
    const BoxJudge other(there.images, there.classes);
    BootstrapOptions b = bootstrap;
    if (b.resamples == 0) b.resamples = 1000;
    const auto compared = [](const BoxJudge& j) {
      return [&j](const std::vector<int>& counts) {
        std::vector<double> s = j.scores(counts);
        s.resize(4);
        return s;
      };
    };
    const auto differences = score_differences(n, {{.key = "map"}, {.key = "ap_50"}, {.key = "ap_10"}, {.key = "froc_1"}}, compared(judge),
                                               compared(other), b);
    out.table += "\n" + difference_table(differences);
    json["versus"] = json_of_differences(differences);
  }
  if (!o.froc.empty()) write_text_file(o.froc.string() + ".csv", csv_of({"boxes"}, {judge.froc()}));
  out.json = json_text(json);
  out.csv = csv_of_cases(here, judge);
  return out;
}

std::string describe_detection_scores() {
  return "Scores of detection, of boxes with their scores over all images:\n"
         "  map            mean of AP over classes and over thresholds of IoU from 0.1 to 0.5 by 0.05, as COCO's\n"
         "  ap_50, ap_10   mean of AP over classes at IoU 0.5 and 0.1; ap_50_NAME of one class\n"
         "  froc_1, froc   share of the real boxes that are found (IoU 0.1) at 1 false positive an image, and the mean of that at\n"
         "                 1/8, 1/4, 1/2, 1, 2, 4 and 8\n"
         "  centre_error   median over the real boxes that are found of the distance of centres in mm; found: their share\n";
}

}  // namespace voxgrad
