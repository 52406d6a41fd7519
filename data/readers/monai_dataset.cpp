// Lists of MONAI for detection: FILE.json with "training", "validation" and "test" of entries {"image", "box", "label"}, the images by
// their path from the folder of the file, or from the one that MONAI's data_base_dir would be: the folder of the file or one of those
// above.
#include <algorithm>
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

constexpr uintmax_t kMostList = uintmax_t(1) << 30;  // bytes

bool is_monai_list(const fs::path& path) {
  if (path.extension() != ".json" || !fs::is_regular_file(path) || fs::file_size(path) > kMostList) return false;
  try {
    const Json j = read_json(path);
    if (!j.is_object() || !j.contains("training") || !j["training"].is_array()) return false;
    const Json& all = j["training"];
    return std::any_of(all.begin(), all.end(), [](auto& e) { return e.is_object() && e.contains("image") && e.contains("box"); });
  } catch (const Error&) { return false; }
}

fs::path listed_image(const fs::path& file, const Json& entry) {
  check(entry.is_object() && entry.contains("image") && entry["image"].is_string(), file.string(), ": an entry names no \"image\"");
  const std::string name = entry["image"].get<std::string>();
  check(!fs::path(name).is_absolute() && name.find("..") == name.npos, file.string(), ": the image ", name, " lies elsewhere");
  for (fs::path at = file.parent_path(); !at.empty(); at = at.parent_path()) {
    if (fs::exists(at / name)) return at / name;
    if (at == at.root_path()) break;
  }
  fail(file.string(), ": there is no image ", name);
}

Dataset read_monai_list(const fs::path& file) {
  const Json j = read_json(file);
  std::vector<LabelledImage> images;
  std::set<int64_t> labels;
  for (const char* part : {"training", "validation", "test"})
    for (auto& entry : j.value(part, Json::array())) {
      const fs::path image = listed_image(file, entry);
      LabelledImage one{.image = {.images = {image}}, .label = "", .part = *part_of(part), .named_by_file = true};
      check(entry.contains("box") || one.part == "test", file.string(), ": the image ", image.filename().string(), " of \"", part,
            "\" has no \"box\", which is [] where there are none");
      if (entry.contains("box")) one.image.targets["box"] = entry["box"].dump();
      if (entry.contains("label")) one.image.targets["label"] = entry["label"].dump();
      for (auto& l : entry.value("label", Json::array()))
        if (l.is_number_integer()) labels.insert(l.get<int64_t>());
      images.push_back(std::move(one));
    }
  Dataset d = labelled_dataset(file.parent_path(), file.stem().string(), std::move(images), file.string());
  check(!labels.empty() && *labels.begin() >= 0 && *labels.rbegin() < 1000, file.string(), ": labels of boxes are numbers from 0 to 999");
  d.labels.clear();
  for (int64_t l = 0; l <= *labels.rbegin(); ++l) d.labels.push_back("class " + std::to_string(l));
  return d;
}

}  // namespace

DatasetReader monai_dataset() {
  return {"monai", "a list of MONAI for detection (.json): training, validation and test with image, box and label", is_monai_list,
          read_monai_list};
}

}  // namespace voxgrad
