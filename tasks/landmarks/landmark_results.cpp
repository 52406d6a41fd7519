#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"
#include "tasks/landmarks/landmark_errors.h"
#include "tasks/landmarks/landmarks.h"
#include "tasks/statistics/score_table.h"
#include "tasks/values/case_results.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

Json rounded_places(const Vec3& v) {
  Json out = Json::array();
  for (double x : v) out.push_back(std::round(x * 1e4) / 1e4);
  return out;
}

constexpr const char* kColumns = "name,x_mm,y_mm,z_mm,i,j,k,score";

std::string csv_rows(const Json& result, const std::string& before) {
  std::string out;
  for (auto& [name, mm] : result.at("landmarks").items()) {
    out += before + csv_field(name);
    for (const Json* list : {&mm, &result.at("voxels").at(name)})
      for (auto& v : *list) out += "," + v.dump();
    out += "," + result.at("scores").at(name).dump() + "\n";
  }
  return out;
}

struct ErrorCases {
  std::vector<std::string> ids;
  LandmarkErrors errors;
};

ErrorCases error_cases(const fs::path& predictions, const fs::path& references, bool partial) {
  const Dataset data = read_dataset(references);
  ErrorCases out{.ids = {}, .errors = LandmarkErrors({})};
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = has_landmarks})) {
    const Json j = parse_json(r.json, r.where);
    const std::vector<Landmark> said = landmarks_from(j, r.where);
    std::vector<std::string> names;
    for (const Landmark& l : said) names.push_back(l.name);
    if (out.ids.empty()) out.errors = LandmarkErrors(names);
    check(names == out.errors.names(), r.where, ": has other landmarks than ", out.ids.empty() ? "" : out.ids[0]);
    const Json from = j.value("from", Json("centres"));
    check(from == "centres" || from == "ends", r.where, ": \"from\" is ", from.dump().substr(0, 40));
    const std::vector<Landmark> real = case_landmarks(*r.of, names, {.from = from.get<std::string>()});
    std::vector<double> mm;
    for (size_t k = 0; k < said.size(); ++k) {
      const Vec3 &a = said[k].mm, &b = real[k].mm;
      mm.push_back(real[k].known ? std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) : NAN);
    }
    out.errors.add(mm);
    out.ids.push_back(r.of->id);
  }
  return out;
}

}  // namespace

Json json_of_landmarks(const std::vector<Landmark>& landmarks, const Affine& affine, const PointSource& source) {
  Json places = Json::object(), scores = Json::object(), voxels = Json::object();
  const Affine to_voxels = affine.inverse();
  for (const Landmark& l : landmarks) {
    const Vec3 dhw = to_voxels.apply(l.mm);
    places[l.name] = rounded_places(l.mm);
    voxels[l.name] = rounded_places({dhw[2], dhw[1], dhw[0]});
    scores[l.name] = std::round(l.score * 1e4) / 1e4;
  }
  return {{"landmarks", places}, {"scores", scores}, {"voxels", voxels}, {"from", source.from}};
}

std::vector<Landmark> landmarks_from(const Json& result, const std::string& where) {
  check(result.is_object() && result.contains("landmarks") && result["landmarks"].is_object(), where, ": has no \"landmarks\"");
  const Json scores = result.value("scores", Json::object());
  std::vector<Landmark> out;
  for (auto& [name, mm] : result["landmarks"].items()) {
    const bool numbers = mm.is_array() && mm.size() == 3 && mm[0].is_number() && mm[1].is_number() && mm[2].is_number();
    check(numbers, where, ": the landmark ", name, " is at ", mm.dump().substr(0, 60));
    for (auto& x : mm)
      check(std::abs(x.template get<double>()) < kFarthestMm, where, ": the landmark ", name, " is at ", x.dump().substr(0, 40), " mm");
    Landmark l{.name = name, .mm = {mm[0].template get<double>(), mm[1].template get<double>(), mm[2].template get<double>()}};
    if (scores.is_object() && scores.contains(name) && scores[name].is_number()) l.score = scores[name].get<double>();
    out.push_back(l);
  }
  return out;
}

std::vector<fs::path> Landmarks::files(const fs::path& stem, const std::string&) const {
  return {stem.string() + ".json", stem.string() + ".csv", stem.string() + ".fcsv", stem.string() + ".mrk.json"};
}

void Landmarks::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  const std::vector<fs::path> to = files(stem, ending);
  const Json result = parse_json(r.json, "result");
  const std::vector<Landmark> landmarks = landmarks_from(result, "result");
  write_text_file(to[3], markups_of(landmarks));
  write_text_file(to[2], fcsv_of(landmarks));
  write_text_file(to[1], std::string(kColumns) + "\n" + csv_rows(result, ""));
  write_json(to[0], result);
}

void Landmarks::write_summary(const fs::path& folder, const std::vector<std::pair<std::string, std::string>>& cases) const {
  std::string text = std::string("case,") + kColumns + "\n";
  for (auto& [id, json] : cases) text += csv_rows(parse_json(json, "result"), csv_field(id) + ",");
  write_text_file(folder / "predictions.csv", text);
}

Picture Landmarks::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                           const ModelDescription& d) const {
  const Volume canonical = to_canonical(image);
  const Int3 size = volume_size(canonical.data);
  const Tensor crosses = Tensor::zeros({size.d, size.h, size.w}, DType::u8);
  const auto to = crosses.mutable_data<uint8_t>();
  const Affine to_voxels = canonical.affine.inverse();
  const int arm = std::max(1, std::max(size.h, size.w) / 40);
  int label = 0;
  for (const Landmark& l : landmarks_from(parse_json(result.json, "result"), "result")) {
    ++label;
    const Vec3 at = to_voxels.apply(l.mm);
    const int64_t p[3] = {std::lround(at[0]), std::lround(at[1]), std::lround(at[2])};
    const auto mark = [&](int64_t h, int64_t w) {
      if (p[0] >= 0 && p[0] < size.d && h >= 0 && h < size.h && w >= 0 && w < size.w)
        to[size_t((p[0] * size.h + h) * size.w + w)] = uint8_t(std::min(label, 254));
    };
    for (int64_t i = -arm; i <= arm; ++i) mark(p[1] + i, p[2]), mark(p[1], p[2] + i);
  }
  std::vector<std::string> names = {"background"};
  names.insert(names.end(), d.labels.begin(), d.labels.end());
  return case_picture({.image = canonical,
                       .prediction = {crosses, canonical.affine},
                       .reference = reference,
                       .title = title,
                       .label_names = names,
                       .window = window_for(d)});
}

Task::Evaluated Landmarks::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const ErrorCases here = error_cases(predictions, references, o.partial);
  const std::vector<std::string> keys = here.errors.keys();
  const int64_t n = int64_t(here.ids.size());
  const auto scores = resampled_scores(
      n, [&](auto& counts) { return here.errors.scores(counts); }, {.resamples = o.resamples, .seed = o.seed});
  Json json{{"cases", n}};
  std::vector<ScoreRow> rows;
  for (size_t i = 0; i < keys.size(); ++i) {
    json[keys[i]] = finite_or_null(scores[i].interval.value);
    if (o.resamples) json["intervals"][keys[i]] = json_of_interval(scores[i]);
    rows.push_back({keys[i], scores[i]});
  }
  Evaluated out{.table = std::to_string(n) + " cases, errors in mm\n" + score_table(rows), .json = {}, .csv = "case,landmark,error_mm\n"};
  for (size_t i = 0; i < here.ids.size(); ++i)
    for (size_t k = 0; k < here.errors.names().size(); ++k) {
      char text[32] = "";
      if (const double mm = here.errors.images()[i][k]; std::isfinite(mm)) std::snprintf(text, sizeof text, "%.4g", mm);
      out.csv += csv_field(here.ids[i]) + "," + csv_field(here.errors.names()[k]) + "," + text + "\n";
    }
  if (!o.versus.empty()) {
    const ErrorCases there = error_cases(o.versus, references, o.partial);
    check(there.ids == here.ids, o.versus.string(), ": has not the same cases as ", predictions.string());
    BootstrapOptions b{.resamples = o.resamples ? o.resamples : 10000, .seed = o.seed};
    const auto compared = [](const LandmarkErrors& e) {
      return [&e](const std::vector<int>& counts) {
        std::vector<double> s = e.scores(counts);
        s.resize(2);
        return s;
      };
    };
    const auto differences =
        score_differences(n, {{.key = "mean_error", .larger_is_better = false}, {.key = "median_error", .larger_is_better = false}},
                          compared(here.errors), compared(there.errors), b);
    out.table += "\n" + difference_table(differences);
    json["versus"] = json_of_differences(differences);
  }
  out.json = json_text(json);
  return out;
}

std::string describe_landmark_scores() {
  return "Scores of landmarks, over all that are known and all images, in mm:\n"
         "  mean_error, median_error        of the distances between said and real points; median_error_NAME of one landmark\n"
         "  within_2, within_4, within_10   share of distances up to so many mm\n";
}

}  // namespace voxgrad
