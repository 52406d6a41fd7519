// COCO: FILE.json with "images", "annotations" and "categories", the images beside the file, in DIR/images or by their path from the folder
// above; or a folder with train, valid and test, each with _annotations.coco.json and its images.
#include <algorithm>
#include <map>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/listing/files_by_case.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/formats.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr const char* kCocoName = "_annotations.coco.json";
constexpr uintmax_t kMostJson = uintmax_t(1) << 30;  // bytes

// A file that is a list of annotations, or the ones of the parts of a folder.
std::vector<std::pair<std::string, fs::path>> coco_files(const fs::path& path) {
  std::vector<std::pair<std::string, fs::path>> out;
  if (fs::is_regular_file(path)) return {{"", path}};
  if (!fs::is_directory(path)) return out;
  for (auto& entry : fs::directory_iterator(path))
    if (const auto part = part_of(entry.path().filename().string()); part && fs::is_regular_file(entry.path() / kCocoName))
      out.emplace_back(*part, entry.path() / kCocoName);
  std::sort(out.begin(), out.end());
  return out;
}

bool is_coco(const fs::path& path) {
  if (fs::is_directory(path)) return !coco_files(path).empty();
  if (path.extension() != ".json" || !fs::is_regular_file(path) || fs::file_size(path) > kMostJson) return false;
  try {
    const Json j = read_json(path);
    return j.is_object() && j.contains("images") && j.contains("annotations") && j.contains("categories");
  } catch (const Error&) { return false; }
}

const Json& list_in(const Json& j, const char* key, const std::string& where) {
  check(j.is_object() && j.contains(key) && j[key].is_array(), where, ": has no list \"", key, "\"");
  return j[key];
}

int64_t number_in_entry(const Json& entry, const char* key, const std::string& where) {
  check(entry.is_object() && entry.contains(key) && entry[key].is_number_integer(), where, ": an entry has no number \"", key, "\"");
  return entry[key].get<int64_t>();
}

std::string text_in_entry(const Json& entry, const char* key, const std::string& where) {
  check(entry.is_object() && entry.contains(key) && entry[key].is_string(), where, ": an entry has no text \"", key, "\"");
  return entry[key].get<std::string>();
}

fs::path coco_image(const fs::path& file, const std::string& name) {
  const fs::path folder = file.parent_path();
  for (const fs::path& at : {folder, folder / "images", folder.parent_path(), folder.parent_path() / "images"}) {
    const fs::path image = (at / name).lexically_normal();
    const bool inside = !fs::path(name).is_absolute() && name.find("..") == name.npos;
    if (inside && fs::is_regular_file(image)) return image;
  }
  fail(file.string(), ": there is no image ", name, " beside it, in images or above");
}

// [x, y, width, height], pixels from 0.
Json box_of_annotation(const Json& a, const std::string& label, const std::string& where) {
  const Json box = a.value("bbox", Json());
  const bool numbers = box.is_array() && box.size() == 4 && std::all_of(box.begin(), box.end(), [](auto& v) { return v.is_number(); });
  check(numbers, where, ": the \"bbox\" of an annotation is ", box.dump().substr(0, 60), ", [x, y, width, height] is wanted");
  const double x = box[0].template get<double>(), y = box[1].template get<double>();
  return {{"label", label}, {"voxels", {x, y, x + box[2].template get<double>(), y + box[3].template get<double>()}}};
}

struct CocoList {
  std::vector<LabelledImage> images;
  std::vector<std::string> classes;  // in the order of their numbers
  std::string warning;               // of what was left out; empty: nothing
};

CocoList read_coco(const std::string& part, const fs::path& file) {
  const Json j = read_json(file);
  const std::string where = file.string();
  std::map<int64_t, std::string> classes;
  std::map<int64_t, Json> boxes;
  for (auto& c : list_in(j, "categories", where)) {
    const int64_t number = number_in_entry(c, "id", where);
    check(classes.emplace(number, text_in_entry(c, "name", where)).second, where, ": the category ", number, " occurs twice");
  }
  std::map<int64_t, bool> used;
  for (auto& a : list_in(j, "annotations", where)) {
    const int64_t label = number_in_entry(a, "category_id", where);
    check(classes.contains(label), where, ": an annotation has the category ", label, ", which \"categories\" lacks");
    if (a.value("iscrowd", Json(0)) == 1) continue;  // many objects in one
    used[label] = true;
    Json& of_image = boxes.try_emplace(number_in_entry(a, "image_id", where), Json::array()).first->second;
    of_image.push_back(box_of_annotation(a, classes[label], where));
  }
  CocoList out;
  for (auto& [number, name] : classes)
    if (used[number] && std::find(out.classes.begin(), out.classes.end(), name) == out.classes.end()) out.classes.push_back(name);
  std::set<int64_t> seen;
  for (auto& i : list_in(j, "images", where)) {
    const fs::path image = coco_image(file, text_in_entry(i, "file_name", where));
    LabelledImage one{.image = {.images = {image}}, .label = "", .part = part, .named_by_file = true};
    const int64_t number = number_in_entry(i, "id", where);
    check(seen.insert(number).second, where, ": the image ", number, " occurs twice");
    const auto found = boxes.find(number);
    one.image.targets["boxes"] = found == boxes.end() ? "[]" : found->second.dump();
    if (found != boxes.end()) boxes.erase(found);
    out.images.push_back(std::move(one));
  }
  if (!boxes.empty())
    out.warning = where + ": there are annotations of the image " + std::to_string(boxes.begin()->first) +
                  (boxes.size() > 1 ? " and of " + std::to_string(boxes.size() - 1) + " more" : "") + ", which \"images\" lacks";
  return out;
}

Dataset read_coco_dataset(const fs::path& path) {
  std::vector<LabelledImage> images;
  std::vector<std::string> classes, warnings;
  for (auto& [part, file] : coco_files(path)) {
    CocoList list = read_coco(part, file);
    for (auto& i : list.images) images.push_back(std::move(i));
    if (!list.warning.empty()) warnings.push_back(list.warning);
    for (auto& c : list.classes)
      if (std::find(classes.begin(), classes.end(), c) == classes.end()) classes.push_back(c);
  }
  const fs::path root = fs::is_directory(path) ? path : path.parent_path();
  Dataset d = labelled_dataset(root, path.stem().string(), std::move(images), path.string());
  d.labels = classes;
  d.warnings.insert(d.warnings.end(), warnings.begin(), warnings.end());
  return d;
}

}  // namespace

DatasetReader coco_dataset() {
  return {"coco", "a list of COCO (.json) with images, annotations and categories, or a folder with train, valid and test of such lists",
          is_coco, read_coco_dataset};
}

}  // namespace voxgrad
