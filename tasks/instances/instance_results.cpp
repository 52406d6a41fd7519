#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"
#include "tasks/file_pairs.h"
#include "tasks/instances/instances.h"
#include "tasks/statistics/score_table.h"
#include "tasks/values/case_results.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct InstanceCases {
  std::vector<std::string> ids, classes;
  std::vector<std::vector<PanopticCounts>> counts;  // of each case, by class
};

constexpr const char* kMask = "mask";  // in a result's JSON: the name of its file

// The mask beside a result: the file that it names, else a volume; a picture of the case has the same name but for its ending.
fs::path mask_beside(const fs::path& json, const Json& result) {
  const Json named = result.value(kMask, Json());
  if (named.is_string()) {
    const fs::path mask = json.parent_path() / fs::path(named.get<std::string>()).filename();
    check(fs::is_regular_file(mask), json.string(), ": there is no mask ", mask.filename().string(), " beside it");
    return mask;
  }
  for (const char* ending : {".nii.gz", ".nii", ".nrrd", ".mha", ".mgz", ".npz", ".tif"})
    if (const fs::path mask = fs::path(json).replace_extension() += ending; fs::is_regular_file(mask)) return mask;
  fail(json.string(), ": there is no mask beside it");
}

InstanceCases instance_cases(const fs::path& predictions, const fs::path& references, bool partial) {
  const Dataset data = read_dataset(references);
  InstanceCases out{.ids = {}, .classes = box_classes(data), .counts = {}};
  const auto known = [](const DatasetCase& c) { return !c.label.empty(); };
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = known})) {
    const Json j = parse_json(r.json, r.where);
    const Grid grid = image_grid(*r.of);
    BoxSource source;
    if (j.value("objects", Json("components")) == "labels") source.objects = "labels";
    const Json least = j.value("min_voxels", Json(1));
    if (least.is_number_integer()) source.min_voxels = std::max<int64_t>(1, least.get<int64_t>());
    DatasetCase said{.id = r.of->id, .images = {r.where}, .label = mask_beside(r.where, j)};
    const LabelledObjects found = case_objects(said, grid, out.classes, {}), real = case_objects(*r.of, grid, out.classes, source);
    out.counts.push_back(panoptic_counts({found.number, found.label}, {real.number, real.label}, int(out.classes.size())));
    out.ids.push_back(r.of->id);
  }
  return out;
}

// Panoptic, recognition and segmentation quality, means over the classes that occur, then the first of each class.
std::vector<double> scores_of(const InstanceCases& v, const std::vector<int>& times) {
  std::vector<PanopticCounts> all(v.classes.size());
  for (size_t i = 0; i < times.size(); ++i)
    for (size_t k = 0; k < all.size(); ++k) all[k].add(v.counts[i][k], times[i]);
  std::vector<double> out;
  for (auto quality : {&PanopticCounts::quality, &PanopticCounts::recognition, &PanopticCounts::segmentation}) {
    double sum = 0, n = 0;
    for (auto& c : all)
      if (const double q = (c.*quality)(); std::isfinite(q)) sum += q, ++n;
    out.push_back(n > 0 ? sum / n : NAN);
  }
  for (auto& c : all) out.push_back(c.quality());
  return out;
}

}  // namespace

std::vector<fs::path> Instances::files(const fs::path& stem, const std::string& ending) const {
  return {stem.string() + ending, stem.string() + ".json"};
}

void Instances::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  write_volume(files(stem, ending)[0], r.volume);
  Json json = parse_json(r.json, "result");
  json[kMask] = files(stem, ending)[0].filename().string();
  write_json(files(stem, ending)[1], json);
}

Picture Instances::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                           const ModelDescription& d) const {
  return case_picture(
      {.image = image, .prediction = result.volume, .reference = reference, .title = title, .label_names = {}, .window = window_for(d)});
}

Task::Evaluated Instances::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const InstanceCases here = instance_cases(predictions, references, o.partial);
  const int64_t n = int64_t(here.ids.size());
  std::vector<std::string> keys = {"panoptic_quality", "recognition", "segmentation"};
  for (auto& c : here.classes) keys.push_back("panoptic_quality_" + c);
  const auto scores = resampled_scores(
      n, [&](auto& counts) { return scores_of(here, counts); }, {.resamples = o.resamples, .seed = o.seed});
  Json json{{"cases", n}};
  std::vector<ScoreRow> rows;
  for (size_t i = 0; i < keys.size(); ++i) {
    json[keys[i]] = finite_or_null(scores[i].interval.value);
    if (o.resamples) json["intervals"][keys[i]] = json_of_interval(scores[i]);
    rows.push_back({keys[i], scores[i]});
  }
  Evaluated out{.table = std::to_string(n) + " cases\n" + score_table(rows),
                .json = json_text(json),
                .csv = "case,class,real,found,matched\n"};
  for (size_t i = 0; i < here.ids.size(); ++i)
    for (size_t k = 0; k < here.classes.size(); ++k) {
      const PanopticCounts& c = here.counts[i][k];
      out.csv += csv_field(here.ids[i]) + "," + csv_field(here.classes[k]) + "," + std::to_string(c.real) + "," + std::to_string(c.found) +
                 "," + std::to_string(c.matched) + "\n";
    }
  return out;
}

std::string describe_instance_scores() {
  return "Scores of instances, over all images; an object and a real one of its class whose IoU is above 0.5 are matched:\n"
         "  panoptic_quality  sum of the IoU of the matched / (matched + half of the others), mean over classes; and of each class\n"
         "  recognition       matched / (matched + half of the others): the F1 score; segmentation: mean IoU of the matched\n";
}

}  // namespace voxgrad
