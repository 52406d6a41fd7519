#include "io/formats/dicom/series.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "io/formats/byte_source.h"

namespace voxgrad::dicom {
namespace {
constexpr int kDeepestFolders = 32;  // folders in folders

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto at = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
       at != fs::recursive_directory_iterator(); ++at) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden || at.depth() >= kDeepestFolders) at.disable_recursion_pending();
    if (!hidden && at->is_regular_file() && is_dicom(at->path())) files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool says_dicom(const fs::path& path) {
  ByteSource source(path);
  char b[132] = {};
  return source.read_some(b, sizeof b) == sizeof b && std::string_view(b + 128, 4) == "DICM";
}

// Objects with voxels in a folder; `others` counts the rest by kind.
std::vector<Object> objects_in(const fs::path& folder, std::map<std::string, int>& others) {
  std::vector<Object> objects;
  std::map<std::string, uint64_t> seen;
  for (const fs::path& file : files_below(folder)) {
    try {
      const DicomFile f = open_dicom(file);
      if (!f.pixels()) {
        ++others[kind_of(f)];
        continue;
      }
      Object o = describe_object(f);
      const auto [at, fresh] = seen.emplace(o.instance, f.source->bytes.size());
      if (fresh || o.instance.empty() || at->second != f.source->bytes.size()) objects.push_back(std::move(o));
    } catch (const Error&) {
      if (says_dicom(file)) throw;  // others only looked like it
    }
  }
  return objects;
}

bool close(const Vec3& a, const Vec3& b) {
  return std::abs(a[0] - b[0]) < 1e-3 && std::abs(a[1] - b[1]) < 1e-3 && std::abs(a[2] - b[2]) < 1e-3;
}

struct Group {
  std::vector<Placed> planes = {};
  std::set<size_t> objects = {};
};

bool alike(const std::vector<Object>& objects, const Placed& a, const Placed& b) {
  const Object &x = objects[a.object], &y = objects[b.object];
  if (a.object != b.object && (!a.plane.placed || !b.plane.placed || x.kind != ObjectKind::image || y.kind != ObjectKind::image))
    return false;
  return x.series == y.series && x.rows == y.rows && x.columns == y.columns && x.format.samples == y.format.samples &&
         a.plane.stack == b.plane.stack && close(a.plane.row, b.plane.row) && close(a.plane.column, b.plane.column) &&
         std::abs(a.plane.spacing[0] / b.plane.spacing[0] - 1) < 1e-3 && std::abs(a.plane.spacing[1] / b.plane.spacing[1] - 1) < 1e-3;
}

std::vector<Group> groups_of(const std::vector<Object>& objects) {
  std::vector<Group> groups;
  for (size_t i = 0; i < objects.size(); ++i)
    for (const Plane& plane : objects[i].planes) {
      const Placed p{.object = i, .plane = plane};
      // The last one first: planes of a series mostly follow one another.
      const auto found = std::find_if(groups.rbegin(), groups.rend(), [&](const Group& g) { return alike(objects, g.planes[0], p); });
      Group& g = found != groups.rend() ? *found : groups.emplace_back();
      g.planes.push_back(p), g.objects.insert(i);
    }
  return groups;
}

std::string line_of(const std::vector<Object>& objects, const Group& g, size_t number, const fs::path& folder) {
  const Object& o = objects[*g.objects.begin()];
  const auto count = [](size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); };
  std::string line = "\n  " + std::to_string(number) + ": " + count(g.planes.size(), "image") + " of " + std::to_string(o.rows) + " x " +
                     std::to_string(o.columns) + " in " + count(g.objects.size(), "file") + "  ";
  if (o.kind == ObjectKind::segmentation) line += "segmentation ";
  else line += o.modality + " ";
  if (!o.description.empty()) line += "\"" + o.description + "\" ";
  if (!g.planes[0].plane.placed) line += "without a place in space ";
  if (g.objects.size() == 1 && objects.size() > 1) line += o.path.filename().string() + " ";
  if (const fs::path in = o.path.parent_path(); in != folder && in != folder.parent_path()) line += "below " + in.string() + " ";
  return line + " UID " + o.series;
}

size_t chosen(const std::vector<Object>& objects, const std::vector<Group>& groups, const std::string& wanted, const fs::path& path) {
  const std::string who = path.string();
  size_t number = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc() && end == wanted.data() + wanted.size() && number >= 1 && number <= groups.size()) return number - 1;
  std::string list;
  std::vector<size_t> meant;
  for (size_t i = 0; i < groups.size(); ++i) {
    list += line_of(objects, groups[i], i + 1, path);
    if (objects[groups[i].planes[0].object].series.ends_with(wanted)) meant.push_back(i);
  }
  check(!meant.empty(), who, ": has no series \"", wanted, "\"; it has", list);
  check(meant.size() == 1, who, ": has ", meant.size(), wanted.empty() ? "" : " matching",
        " DICOM series, or one whose images differ in size or orientation; choose with --series by number or UID:", list);
  return meant[0];
}
}  // namespace

Series choose_series(const fs::path& path, const ReadOptions& options) {
  Series s;
  std::map<std::string, int> others;
  if (fs::is_directory(path)) s.objects = objects_in(path, others);
  else s.objects.push_back(describe_object(open_dicom(path)));
  std::string kinds;
  for (const auto& [kind, n] : others) kinds += (kinds.empty() ? "" : ", ") + std::to_string(n) + " x " + kind;
  check(!s.objects.empty() || others.empty(), path.string(), ": holds DICOM objects but no images: ", kinds);
  check(!s.objects.empty(), path.string(), ": is a folder without DICOM files");
  std::vector<Group> groups = groups_of(s.objects);
  s.planes = std::move(groups[chosen(s.objects, groups, options.series, path)].planes);
  // Only the objects that it needs, in their order.
  std::map<size_t, size_t> place;
  for (const Placed& p : s.planes) place.emplace(p.object, 0);
  std::vector<Object> needed;
  for (auto& [from, to] : place) to = needed.size(), needed.push_back(std::move(s.objects[from]));
  s.objects = std::move(needed);
  for (Placed& p : s.planes) p.object = place[p.object];
  return s;
}

}  // namespace voxgrad::dicom
