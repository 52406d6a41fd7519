// Archives of MedMNIST (Yang et al. 2023): train_images {N, H, W}, {N, H, W, 3} or {N, D, H, W}, train_labels {N, 1} or {N, K}, and the
// same of val and test. Of several labels those that are 1 are the "class" of a case, a list of their numbers.
#include <algorithm>
#include <set>

#include "core/config/json_values.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/numpy/image_stack.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr const char* kParts[] = {"train", "val", "test"};

bool is_medmnist(const fs::path& path) {
  if (path.extension() != ".npz") return false;
  const auto names = array_names(path);
  return std::find(names.begin(), names.end(), "train_images") != names.end() &&
         std::find(names.begin(), names.end(), "train_labels") != names.end();
}

Dataset read_medmnist(const fs::path& path) {
  Dataset d{.name = path.stem().string(), .root = path.parent_path(), .file_ending = ".npz"};
  d.split.emplace();
  const auto names = array_names(path);
  std::set<int64_t> classes;
  int64_t columns = 0;
  for (const std::string part : kParts) {
    if (std::find(names.begin(), names.end(), part + "_images") == names.end()) continue;
    const auto stack = std::make_shared<const ImageStack>(path, part + "_images");
    const NumberTable labels = read_number_table(path, part + "_labels");
    const std::string who = path.string() + ": " + part;
    check(labels.rows == stack->count(), who, "_labels has ", labels.rows, " rows for ", stack->count(), " images");
    check(columns == 0 || columns == labels.columns, who, "_labels has ", labels.columns, " columns, that of train ", columns);
    columns = labels.columns;
    const Volume first = stack->image(0);
    if (part == std::string("train") && first.data.dim(0) == 3)
      d.warnings.push_back(path.string() + ": its images are taken for volumes of 3 slices; those with colours are {N, H, W, 3}");
    for (int64_t i = 0; i < stack->count(); ++i) {
      const std::string number = std::to_string(i);
      DatasetCase c{.id = part + "_" + std::string(6 - std::min<size_t>(6, number.size()), '0') + number, .images = {path}};
      c.stack = stack, c.index = i;
      Json target = Json::array();
      for (int64_t k = 0; k < columns; ++k) {
        const int64_t value = labels.values[size_t(i * columns + k)];
        check(value >= 0 && value < 4096 && (columns == 1 || value <= 1), who, "_labels: image ", i, " has the label ", value,
              columns == 1 ? ", wanted is the number of a class" : ", wanted is 0 or 1 for each of several labels");
        classes.insert(columns == 1 ? value : k);
        if (columns == 1 || value == 1) target.push_back(columns == 1 ? value : k);
      }
      c.targets["class"] = columns == 1 ? target[0].dump() : target.dump();
      if (part == "train") d.split->training.push_back(c.id);
      if (part == "val") d.split->validation.push_back(c.id);
      (part == "test" ? d.tests : d.cases).push_back(std::move(c));
    }
    if (part == std::string("train")) d.channel_names = channel_names_of(stack->colour() ? 3 : 1, stack->bytes());
  }
  for (int64_t k = 0; !classes.empty() && k <= *classes.rbegin(); ++k) d.labels.push_back(std::to_string(k));
  complete(d, path.string());
  if (d.split->validation.empty()) d.split.reset();
  return d;
}

}  // namespace

DatasetReader medmnist_dataset() {
  return {"medmnist", "an archive of MedMNIST: a .npz with train_images, train_labels, val_images, ..", is_medmnist, read_medmnist};
}

}  // namespace voxgrad
