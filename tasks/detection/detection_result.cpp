#include <algorithm>
#include <array>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"
#include "tasks/detection/detection.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr double kDrawnScore = 0.3;  // least score of a box in a picture

Json rounded(double v) { return std::round(v * 1e4) / 1e4; }

std::string text_of_number(const Json& v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v.get<double>());
  return text;
}

// Of (i, j, k, 1), where the affine of a volume is of (d, h, w, 1).
Json json_of_affine(const Affine& affine) {
  Json out = Json::array();
  for (int r = 0; r < 4; ++r) out.push_back({affine(r, 2), affine(r, 1), affine(r, 0), affine(r, 3)});
  return out;
}

// The column of an affine in JSON for an axis of the file, and its length.
std::array<double, 3> column_of(const Json& affine, size_t axis) {
  return {affine[0][axis].get<double>(), affine[1][axis].get<double>(), affine[2][axis].get<double>()};
}
double length_of(const std::array<double, 3>& v) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

// Outlines of boxes, within slices along D, of value label + 1: u8 {D, H, W}.
Tensor outlines(const std::vector<ObjectBox>& boxes, const Int3& size) {
  const Tensor out = Tensor::zeros({size.d, size.h, size.w}, DType::u8);
  const auto to = out.mutable_data<uint8_t>();
  const int64_t thick = std::max(1, std::max(size.h, size.w) / 300);
  for (const ObjectBox& b : boxes) {
    int64_t low[3], high[3];
    for (int a = 0; a < 3; ++a) {
      low[a] = std::clamp<int64_t>(std::lround(b.low[size_t(a)] + 0.5), 0, size[a] - 1);
      high[a] = std::clamp<int64_t>(std::lround(b.high[size_t(a)] - 0.5), low[a], size[a] - 1);
    }
    const auto edge = [&](int a, int64_t x) { return x < low[a] + thick || x > high[a] - thick; };
    for (int64_t d = low[0]; d <= high[0]; ++d)
      for (int64_t h = low[1]; h <= high[1]; ++h)
        for (int64_t w = low[2]; w <= high[2]; ++w)
          if (edge(1, h) || edge(2, w)) to[size_t((d * size.h + h) * size.w + w)] = uint8_t(std::min(b.label, 253) + 1);
  }
  return out;
}

}  // namespace

Json json_of_boxes(const std::vector<ObjectBox>& boxes, const std::vector<std::string>& classes, const Affine& affine,
                   const BoxSource& source) {
  const Vec3 spacing = affine.spacing();
  Json list = Json::array();
  for (const ObjectBox& b : boxes) {
    const Double3 c = b.centre(), size = b.size();
    const Vec3 mm = affine.apply(c);
    Json voxels = Json::array(), size_mm = Json::array(), centre = Json::array();
    for (size_t a = 3; a-- > 0;) voxels.push_back(rounded(b.low[a] + 0.5));
    for (size_t a = 3; a-- > 0;) voxels.push_back(rounded(b.high[a] + 0.5));
    for (size_t a = 3; a-- > 0;) size_mm.push_back(rounded(size[a] * spacing[a]));
    for (double v : mm) centre.push_back(rounded(v));
    list.push_back({{"label", classes.at(size_t(b.label))},
                    {"score", rounded(b.score)},
                    {"voxels", voxels},
                    {"centre_mm", centre},
                    {"size_mm", size_mm}});
  }
  return {{"boxes", list},
          {"labels", classes},
          {"affine", json_of_affine(affine)},
          {"objects", source.objects},
          {"min_voxels", source.min_voxels}};
}

std::string csv_columns_of_boxes() {
  return "label,score,i_low,j_low,k_low,i_high,j_high,k_high,x_mm,y_mm,z_mm,size_i_mm,size_j_mm,size_k_mm";
}

std::string csv_lines_of_boxes(const Json& result, const std::string& before) {
  std::string out;
  for (auto& b : result.at("boxes")) {
    out += before + csv_field(b.at("label").get<std::string>()) + "," + text_of_number(b.at("score"));
    for (const char* key : {"voxels", "centre_mm", "size_mm"})
      for (auto& v : b.at(key)) out += "," + text_of_number(v);
    out += "\n";
  }
  return out;
}

Json markups_of_boxes(const Json& result) {
  const Json& affine = result.at("affine");
  Json orientation = Json::array();  // rows; columns are the axes of the file, in LPS+
  for (size_t r = 0; r < 3; ++r)
    for (size_t axis = 0; axis < 3; ++axis) {
      const auto column = column_of(affine, axis);
      orientation.push_back((r < 2 ? -1 : 1) * column[r] / length_of(column) + 0.0);  // no -0
    }
  Json markups = Json::array();
  for (auto& b : result.at("boxes")) {
    const Json& c = b.at("centre_mm");
    const Json centre = {0.0 - c[0].get<double>(), 0.0 - c[1].get<double>(), c[2]};
    const std::string name = b.at("label").get<std::string>() + " " + text_of_number(b.at("score"));
    const Json point = {{"id", "1"}, {"label", name}, {"position", centre}, {"positionStatus", "defined"}};
    markups.push_back({{"type", "ROI"},
                       {"coordinateSystem", "LPS"},
                       {"coordinateUnits", "mm"},
                       {"roiType", "Box"},
                       {"name", name},
                       {"center", centre},
                       {"orientation", orientation},
                       {"size", b.at("size_mm")},
                       {"controlPoints", Json::array({point})}});
  }
  return {{"@schema", "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
                      "markups-schema-v1.0.3.json#"},
          {"markups", markups}};
}

std::vector<fs::path> Detection::files(const fs::path& stem, const std::string&) const {
  return {stem.string() + ".json", stem.string() + ".csv", stem.string() + ".mrk.json"};
}

void Detection::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  const std::vector<fs::path> to = files(stem, ending);
  const Json result = parse_json(r.json, "result");
  write_json(to[2], markups_of_boxes(result));
  write_text_file(to[1], csv_columns_of_boxes() + "\n" + csv_lines_of_boxes(result, ""));
  write_json(to[0], result);
}

void Detection::write_summary(const fs::path& folder, const std::vector<std::pair<std::string, std::string>>& cases) const {
  std::string text = "case," + csv_columns_of_boxes() + "\n";
  for (auto& [id, json] : cases) text += csv_lines_of_boxes(parse_json(json, "result"), csv_field(id) + ",");
  write_text_file(folder / "predictions.csv", text);
}

Picture Detection::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                           const ModelDescription& d) const {
  const Json j = parse_json(result.json, "result");
  const Volume canonical = to_canonical(image);
  Geometry g{.orientation = orientation_of(image.affine), .affine = image.affine, .canonical = volume_size(canonical.data)};
  g.working = g.box = g.canonical;
  std::vector<ObjectBox> boxes;
  for (const ObjectBox& b : listed_boxes(j.at("boxes"), d.labels, {}, title))
    if (b.score >= kDrawnScore) boxes.push_back(in_working_voxels(b, g));
  std::vector<std::string> names = {"background"};
  names.insert(names.end(), d.labels.begin(), d.labels.end());
  return case_picture({.image = canonical,
                       .prediction = {outlines(boxes, g.canonical), canonical.affine},
                       .reference = reference,
                       .title = title + ": " + std::to_string(boxes.size()) + (boxes.size() == 1 ? " box" : " boxes"),
                       .label_names = names,
                       .window = window_for(d)});
}

}  // namespace voxgrad
