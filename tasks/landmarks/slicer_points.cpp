#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/formats/text_fields.h"
#include "io/json_file.h"
#include "tasks/landmarks/case_points.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMostPoints = 64 << 20;  // bytes of a file

// Another of the landmarks of a file, by its place there.
void add_landmark(std::vector<Landmark>& to, const std::string& name, const Vec3& at, bool lps, const std::string& where) {
  check(std::none_of(to.begin(), to.end(), [&](const Landmark& l) { return l.name == name; }), where, ": has the landmark \"",
        name.substr(0, 60), "\" twice");
  for (double x : at) check(std::abs(x) < kFarthestMm, where, ": ", x, " is no place of the landmark \"", name.substr(0, 60), "\" in mm");
  to.push_back({.name = name, .mm = {lps ? -at[0] : at[0], lps ? -at[1] : at[1], at[2]}});
}

// id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
std::vector<Landmark> read_fcsv(const fs::path& file) {
  std::ifstream in(file);
  std::vector<Landmark> out;
  bool lps = false;
  int number_of_line = 0;
  for (std::string line; std::getline(in, line);) {
    ++number_of_line;
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with("# CoordinateSystem")) lps = line.ends_with("1") || line.find("LPS") != line.npos;
    if (line.empty() || line.starts_with('#')) continue;
    const std::string where = file.string() + ", line " + std::to_string(number_of_line);
    const std::vector<std::string> f = parse_csv(line, where).columns;  // in quotes where a field has a comma
    check(f.size() >= 12, where, ": has ", f.size(), " fields, at least 12 are wanted");
    add_landmark(out, f[11], {number<double>(f[1], where), number<double>(f[2], where), number<double>(f[3], where)}, lps, where);
  }
  return out;
}

std::vector<Landmark> read_markups(const fs::path& file) {
  const std::string where = file.string();
  const Json j = read_json(file);
  check(j.is_object() && j.contains("markups") && j["markups"].is_array(), where, ": has no \"markups\"");
  std::vector<Landmark> out;
  for (auto& markup : j["markups"]) {
    const bool points = markup.is_object() && markup.contains("controlPoints") && markup["controlPoints"].is_array();
    check(points, where, ": has no \"controlPoints\"");
    const bool lps = markup.value("coordinateSystem", Json("LPS")) != "RAS";
    for (auto& p : markup["controlPoints"]) {
      const Json status = p.is_object() ? p.value("positionStatus", Json()) : Json();
      if (status == "undefined" || status == "missing") continue;
      const Json place = p.is_object() ? p.value("position", Json()) : Json();
      check(place.is_array() && place.size() == 3 && place[0].is_number() && place[1].is_number() && place[2].is_number() &&
                p.contains("label") && p["label"].is_string(),
            where, ": ", p.dump().substr(0, 60), " is no control point with label and position");
      const Vec3 at = {place[0].get<double>(), place[1].get<double>(), place[2].get<double>()};
      add_landmark(out, p["label"].get<std::string>(), at, lps, where);
    }
  }
  return out;
}

}  // namespace

std::vector<Landmark> read_slicer_points(const fs::path& file) {
  check(fs::is_regular_file(file) && fs::file_size(file) <= kMostPoints, file.string(), ": is no file of at most 64 MiB");
  return file.extension() == ".fcsv" ? read_fcsv(file) : read_markups(file);
}

std::string fcsv_of(const std::vector<Landmark>& landmarks) {
  std::string out =
      "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n"
      "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n";
  for (size_t i = 0; i < landmarks.size(); ++i) {
    const Landmark& l = landmarks[i];
    char text[160];
    std::snprintf(text, sizeof text, "%zu,%.4f,%.4f,%.4f,0,0,0,1,1,1,0,", i + 1, 0.0 - l.mm[0], 0.0 - l.mm[1], l.mm[2]);
    std::string name = l.name;
    std::replace(name.begin(), name.end(), '\n', ' ');
    out += text + csv_field(name) + ",,\n";
  }
  return out;
}

std::string markups_of(const std::vector<Landmark>& landmarks) {
  Json points = Json::array();
  for (size_t i = 0; i < landmarks.size(); ++i) {
    const Landmark& l = landmarks[i];
    points.push_back({{"id", std::to_string(i + 1)},
                      {"label", l.name},
                      {"position", {0.0 - l.mm[0], 0.0 - l.mm[1], l.mm[2]}},
                      {"positionStatus", "defined"}});
  }
  const Json out = {{"@schema", "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
                                "markups-schema-v1.0.3.json#"},
                    {"markups", Json::array({{{"type", "Fiducial"},
                                              {"coordinateSystem", "LPS"},
                                              {"coordinateUnits", "mm"},
                                              {"controlPoints", points}}})}};
  return json_text(out);
}

}  // namespace voxgrad
