// A folder of image files alone, for what is learned without labels: DIR/image, or DIR/case_0000, DIR/case_0001 for the channels of a case.
#include <algorithm>

#include "data/case_files.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> out;
  for (auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with('.') || !entry.is_regular_file()) continue;
    const std::string ending = volume_extension(entry.path());
    if (!ending.empty() && !ending.starts_with(".img") && !ending.starts_with(".dcm")) out.push_back(entry.path());
  }
  return out;
}

bool is_folder_of_images(const fs::path& folder) {
  return fs::is_directory(folder) && !fs::exists(folder / "dataset.json") && !image_files(folder).empty();
}

Dataset read_images(const fs::path& folder) {
  int most = 0;
  bool numbered = true;  // every name ends in the number of a channel
  for (auto& file : image_files(folder)) {
    const int channel = split_channel(case_name(file)).second;
    numbered = numbered && channel >= 0;
    most = std::max(most, channel);
  }
  std::vector<LabelledImage> images;
  for (DatasetCase& c : list_images(folder, numbered ? most + 1 : 1)) images.push_back({.image = std::move(c)});
  const std::string name = (folder / ".").lexically_normal().parent_path().filename().string();
  return labelled_dataset(folder, name, std::move(images), folder.string(), {}, false);
}

}  // namespace

DatasetReader images_dataset() {
  return {.name = "images",
          .summary = "a folder of images alone, for what is learned without labels (masked_reconstruction, contrastive, restoration)",
          .recognises = is_folder_of_images,
          .read = read_images,
          .unlabelled = true};
}

}  // namespace voxgrad
