// Folders named by classes: DIR/CLASS/image, or DIR/train/CLASS/image with val and test beside train. An image is a file, or a folder with
// a DICOM series.
#include <algorithm>

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

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (auto& p : entries_of(folder)) {
    const std::string ending = fs::is_regular_file(p) ? volume_extension(p) : "";
    // DICOM files side by side are slices of a series.
    const bool file = !ending.empty() && !ending.starts_with(".img") && !ending.starts_with(".dcm");
    if (file || (fs::is_directory(p) && holds_dicom(p))) out.push_back(p);
  }
  return out;
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
  for (const auto& [part, at] : parts_in(folder))
    for (auto& of_class : folders_in(at)) {
      const std::string label = of_class.filename().string();
      for (auto& file : images_in(of_class)) {
        const std::string id = (part.empty() ? "" : part + "_") + label + "_" + case_name(file);
        images.push_back({.image = {.id = id, .images = {file}}, .label = label, .part = part});
      }
    }
  const std::string name = (folder / ".").lexically_normal().parent_path().filename().string();
  return labelled_dataset(folder, name, std::move(images), folder.string());
}

}  // namespace

DatasetReader folders_dataset() {
  return {"folders", "a folder of folders named by classes, with images in each; or of train, val and test with such folders",
          is_class_folders, read_folders};
}

}  // namespace voxgrad
