#include "tasks/landmarks/case_points.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr double kEndPart = 0.02;   // of the voxels, that an end is made of

Vec3 place_in(const Json& j, const std::string& where) {
  check(j.is_array() && j.size() == 3, where, ": the place of a landmark is ", j.dump().substr(0, 60), ", three numbers are wanted");
  Vec3 out;
  for (size_t a = 0; a < 3; ++a) {
    check(j[a].is_number() && std::abs(j[a].get<double>()) < kFarthestMm, where, ": ", j[a].dump().substr(0, 40),
          " is no place of a landmark in mm");
    out[a] = j[a].get<double>();
  }
  return out;
}

std::string where_of(const DatasetCase& c) { return (c.images.empty() ? c.id : c.images[0].string()) + ": the case " + c.id; }

// What is listed, in the order of the list.
std::vector<Landmark> listed_landmarks(const DatasetCase& c) {
  const std::string where = where_of(c);
  const Json j = parse_json(c.targets.at("landmarks"), where);
  if (j.is_string()) {
    const fs::path name = j.get<std::string>(), folder = c.images.at(0).parent_path();
    check(!name.is_absolute() && name.string().find("..") == std::string::npos, where, ": the file ", name.string(), " lies elsewhere");
    for (const fs::path& at : {folder / name, folder.parent_path() / name})
      if (fs::is_regular_file(at)) return read_slicer_points(at);
    fail(where, ": there is no file ", name.string());
  }
  check(j.is_object(), where, ": \"landmarks\" are neither places by name nor a file");
  std::vector<Landmark> out;
  for (auto& [name, place] : j.items()) out.push_back({name, place_in(place, where)});
  return out;
}

// World places of the labelled voxels of a file, by value.
std::map<int, std::vector<Vec3>> labelled_places(const fs::path& file) {
  const Volume v = read_volume(file, {.labels = true});
  const std::vector<double> value = v.data.values();
  std::map<int, std::vector<Vec3>> out;
  size_t i = 0;
  for (int64_t d = 0; d < v.data.dim(0); ++d)
    for (int64_t h = 0; h < v.data.dim(1); ++h)
      for (int64_t w = 0; w < v.data.dim(2); ++w, ++i) {
        check(value[i] >= 0 && value[i] < 65536, file.string(), ": ", value[i], " is no label");
        if (value[i] > 0) out[int(value[i])].push_back(v.affine.apply({double(d), double(h), double(w)}));
      }
  return out;
}

Vec3 mean_place(const std::vector<Vec3>& places) {
  Vec3 out = {};
  for (const Vec3& p : places)
    for (size_t a = 0; a < 3; ++a) out[a] += p[a] / double(places.size());
  return out;
}

double along(const Vec3& p, const Vec3& axis) { return p[0] * axis[0] + p[1] * axis[1] + p[2] * axis[2]; }

// The direction of the largest variance, by power iteration, its largest component positive.
Vec3 longest_axis(const std::vector<Vec3>& places) {
  const Vec3 centre = mean_place(places);
  double c[3][3] = {};
  for (const Vec3& p : places)
    for (size_t a = 0; a < 3; ++a)
      for (size_t b = 0; b < 3; ++b) c[a][b] += (p[a] - centre[a]) * (p[b] - centre[b]);
  Vec3 v = {1, 1.1, 1.2};
  for (int step = 0; step < 200; ++step) {
    Vec3 next;
    for (size_t a = 0; a < 3; ++a) next[a] = c[a][0] * v[0] + c[a][1] * v[1] + c[a][2] * v[2];
    const double length = std::sqrt(along(next, next));
    if (!(length > 0)) break;
    for (size_t a = 0; a < 3; ++a) v[a] = next[a] / length;
  }
  size_t largest = 0;
  for (size_t a = 1; a < 3; ++a)
    if (std::abs(v[a]) > std::abs(v[largest])) largest = a;
  if (v[largest] < 0)
    for (double& x : v) x = -x;
  return v;
}

std::vector<Landmark> ends_of(std::vector<Vec3> places) {
  const Vec3 axis = longest_axis(places);
  std::stable_sort(places.begin(), places.end(), [&](const Vec3& a, const Vec3& b) { return along(a, axis) < along(b, axis); });
  const auto n = std::ptrdiff_t(std::max<size_t>(1, size_t(kEndPart * double(places.size()))));
  return {{"low end", mean_place({places.begin(), places.begin() + n})}, {"high end", mean_place({places.end() - n, places.end()})}};
}

std::vector<Landmark> landmarks_of_labels(const DatasetCase& c, const std::vector<std::string>& names, const PointSource& source) {
  const auto places = labelled_places(c.label);
  if (source.from == "ends") {
    std::vector<Vec3> all;
    for (auto& [value, some] : places) all.insert(all.end(), some.begin(), some.end());
    if (!all.empty()) return ends_of(all);
    return {};
  }
  std::vector<Landmark> out;
  for (size_t k = 0; k < names.size(); ++k)
    if (const auto found = places.find(int(k) + 1); found != places.end()) out.push_back({names[k], mean_place(found->second)});
  return out;
}

}  // namespace

bool has_landmarks(const DatasetCase& c) { return c.targets.contains("landmarks") || !c.label.empty(); }

std::vector<std::string> landmark_names(const Dataset& d, const PointSource& source) {
  std::vector<std::string> out;
  for (const DatasetCase& c : d.cases) {
    if (!c.targets.contains("landmarks")) continue;
    for (const Landmark& l : listed_landmarks(c))
      if (std::find(out.begin(), out.end(), l.name) == out.end()) out.push_back(l.name);
  }
  if (!out.empty()) return out;
  if (source.from == "ends") return {"low end", "high end"};
  check(d.labels.size() > 1, d.root.string(), ": has neither \"landmarks\" nor labels");
  return {d.labels.begin() + 1, d.labels.end()};
}

std::vector<Landmark> case_landmarks(const DatasetCase& c, const std::vector<std::string>& names, const PointSource& source) {
  check(has_landmarks(c), where_of(c), " has neither \"landmarks\" nor a label");
  const std::vector<Landmark> known = c.targets.contains("landmarks") ? listed_landmarks(c) : landmarks_of_labels(c, names, source);
  std::vector<Landmark> out;
  for (const std::string& name : names) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const Landmark& l) { return l.name == name; });
    out.push_back(found == known.end() ? Landmark{.name = name, .known = false} : *found);
  }
  return out;
}

}  // namespace voxgrad
