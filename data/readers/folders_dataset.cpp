// Folders named by classes: DIR/CLASS/image, or DIR/train/CLASS/image with val and test beside train; images may lie in folders of their
// own within a class, such as those of patients. An image is a file, or a folder with a DICOM series.
#include <algorithm>
#include <set>

#include "core/lists/first_few.h"
#include "data/listing/files_by_case.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> out;
  for (auto& entry : fs::directory_iterator(folder))
    if (!entry.path().filename().string().starts_with('.')) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (auto& p : entries_of(folder))
    if (fs::is_directory(p)) out.push_back(p);
  return out;
}

constexpr int kDeepest = 8;

// DICOM files side by side are slices of a series, unless each is of a series of its own and not all of them are of one study: radiographs
// of several patients.
bool are_images(const std::vector<fs::path>& dicom) {
  std::set<std::string> series, studies;
  for (const fs::path& p : dicom) try {
      const DicomIdentity of = dicom_identity(p);
      if (!of.image || !series.insert(of.series).second) return false;
      studies.insert(of.study);
    } catch (const Error&) { return false; }
  return studies.size() > 1;
}

// Below as well.
void add_images(const fs::path& folder, std::vector<fs::path>& out, int deep = 0) {
  std::vector<fs::path> dicom;
  for (auto& p : entries_of(folder)) {
    const std::string ending = fs::is_regular_file(p) ? volume_extension(p) : "";
    const bool file = !ending.empty() && !ending.starts_with(".img") && !ending.starts_with(".dcm");
    const bool within = fs::is_directory(p);
    if (ending.starts_with(".dcm")) dicom.push_back(p);
    if (file || (within && holds_dicom(p))) out.push_back(p);
    else if (within && deep < kDeepest) add_images(p, out, deep + 1);
  }
  if (are_images(dicom)) out.insert(out.end(), dicom.begin(), dicom.end());
}

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> out;
  add_images(folder, out);
  return out;
}

// Pictures of kinds that are not read.
void add_unread(const fs::path& folder, std::vector<std::string>& out, int deep = 0) {
  for (auto& p : entries_of(folder)) {
    if (fs::is_directory(p) && !holds_dicom(p) && deep < kDeepest) add_unread(p, out, deep + 1);
    if (!fs::is_regular_file(p) || !volume_extension(p).empty()) continue;
    if (const std::string kind = unread_kind(p); !kind.empty()) out.push_back(p.string() + " is " + kind);
  }
}

// Of a part or of the whole: classes without images, and images that no class has.
void add_warnings(const fs::path& at, std::vector<std::string>& out) {
  std::vector<std::string> unread, empty, beside;
  for (auto& p : entries_of(at)) {
    if (fs::is_regular_file(p) && !volume_extension(p).empty()) beside.push_back(p.string());
    if (!fs::is_directory(p) || p.filename() == "__MACOSX") continue;
    if (images_in(p).empty()) empty.push_back(p.string());
    add_unread(p, unread);
  }
  if (!empty.empty()) out.push_back("without images, so no class: " + first_few(empty, 3));
  if (!beside.empty()) out.push_back("in no folder of a class, so left out: " + first_few(beside, 3));
  if (!unread.empty())
    out.push_back(std::to_string(unread.size()) + (unread.size() == 1 ? " file is" : " files are") + " left out: " + unread[0]);
}

// The folders of parts, or the folder itself as the only one.
std::vector<std::pair<std::string, fs::path>> parts_in(const fs::path& folder) {
  std::vector<std::pair<std::string, fs::path>> out;
  for (auto& p : folders_in(folder))
    if (const auto part = part_of(p.filename().string())) out.emplace_back(*part, p);
  const bool train = std::any_of(out.begin(), out.end(), [](auto& p) { return p.first == "train"; });
  return train ? out : std::vector<std::pair<std::string, fs::path>>{{"", folder}};
}

// At least two folders with images each, and none beside them.
bool is_class_folders(const fs::path& folder) {
  if (!fs::is_directory(folder) || fs::exists(folder / "dataset.json")) return false;
  for (const auto& [part, at] : parts_in(folder)) {
    if (part != "" && part != "train") continue;
    int classes = 0;
    for (auto& p : folders_in(at)) classes += !images_in(p).empty();
    const auto is_image = [](const fs::path& p) { return fs::is_regular_file(p) && !volume_extension(p).empty(); };
    const auto here = entries_of(at);
    return classes >= 2 && std::none_of(here.begin(), here.end(), is_image);
  }
  return false;
}

Dataset read_folders(const fs::path& folder) {
  std::vector<LabelledImage> images;
  std::vector<std::string> warnings;
  for (const auto& [part, at] : parts_in(folder)) {
    add_warnings(at, warnings);
    for (auto& of_class : folders_in(at)) {
      const std::string label = of_class.filename().string();
      for (auto& file : images_in(of_class)) {
        std::string id = (part.empty() ? "" : part + "_") + label;
        for (auto& within : file.parent_path().lexically_relative(of_class))
          if (within != ".") id += "_" + within.string();
        images.push_back({.image = {.id = id + "_" + case_name(file), .images = {file}}, .label = label, .part = part});
      }
    }
  }
  const std::string name = (folder / ".").lexically_normal().parent_path().filename().string();
  Dataset d = labelled_dataset(folder, name, std::move(images), folder.string(), {}, false);
  d.warnings.insert(d.warnings.end(), warnings.begin(), warnings.end());
  return d;
}

}  // namespace

DatasetReader folders_dataset() {
  return {"folders", "a folder of folders named by classes, with images in each; or of train, val and test with such folders",
          is_class_folders, read_folders};
}

}  // namespace voxgrad
