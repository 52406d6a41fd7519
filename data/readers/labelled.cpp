#include "data/readers/labelled.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/pictures/colours.h"
#include "data/listing/files_by_case.h"
#include "data/readers/dataset_reader.h"
#include "io/formats/formats.h"
#include "io/image.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

bool is_whole_number(const std::string& s) {
  return !s.empty() && s.size() <= 9 && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); });
}

// Whole numbers by size, names by their letters.
bool comes_before(const std::string& a, const std::string& b) {
  if (is_whole_number(a) && is_whole_number(b)) return std::stol(a) != std::stol(b) ? std::stol(a) < std::stol(b) : a < b;
  return a < b;
}

constexpr const char* kSeparators = ";|";

// "a; b" as a and b.
std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    const size_t first = text.find_first_not_of(' ', begin);
    std::string name = first < end ? text.substr(first, end - first) : "";
    while (name.ends_with(' ')) name.pop_back();
    if (!name.empty()) out.push_back(name);
    begin = end + 1;
  }
  return out;
}

// By the header of the first image; of pictures, some of which may be stored with colours and others without, by those of some of them.
int64_t channels_of(const std::vector<DatasetCase>& cases) {
  constexpr size_t kLooked = 64;
  int64_t most = 0;
  const size_t looked = is_flat_picture(cases[0].images[0]) ? std::min(kLooked, cases.size()) : 1;
  for (size_t i = 0; i < looked; ++i) {
    const DatasetCase& c = cases[cases.size() * i / looked];
    const int64_t held = read_header(c.images[0], {.series = c.series}).shape[3];
    if (looked == 1) return is_flat_picture(c.images[0]) ? colours_of(held) : held;
    if (is_flat_picture(c.images[0])) most = std::max(most, colours_of(held));
  }
  return most;
}

void name_by_files(std::vector<LabelledImage>& images) {
  std::vector<fs::path> files;
  for (const LabelledImage& i : images)
    if (i.named_by_file) files.push_back(i.image.images[0]);
  const std::vector<std::string> names = case_names(files);
  size_t k = 0;
  for (LabelledImage& i : images)
    if (i.named_by_file) i.image.id = names[k++];
}

}  // namespace

std::optional<std::string> part_of(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  if (word == "train" || word == "training" || word == "tr") return "train";
  if (word == "val" || word == "valid" || word == "validation" || word == "dev") return "val";
  if (word == "test" || word == "testing" || word == "ts") return "test";
  return {};
}

Dataset labelled_dataset(const fs::path& root, const std::string& name, std::vector<LabelledImage> images, const std::string& who,
                         std::set<std::string> classes) {
  Dataset d{.name = name, .root = root};
  const bool several =
      std::any_of(images.begin(), images.end(), [](auto& i) { return i.label.find_first_of(kSeparators) != i.label.npos; });
  for (const LabelledImage& i : images)
    for (auto& name : several ? split_names(i.label) : std::vector{i.label})
      if (!name.empty()) classes.insert(name);
  d.labels.assign(classes.begin(), classes.end());
  std::sort(d.labels.begin(), d.labels.end(), comes_before);
  name_by_files(images);
  Split split;
  for (LabelledImage& i : images) {
    if (several) i.image.targets["class"] = Json(split_names(i.label)).dump();
    else if (!i.label.empty()) i.image.targets["class"] = Json(i.label).dump();
    if (i.part == "val") split.validation.push_back(i.image.id);
    else if (i.part != "test") split.training.push_back(i.image.id);
    (i.part == "test" ? d.tests : d.cases).push_back(std::move(i.image));
  }
  complete(d, who);
  if (!split.validation.empty()) d.split = split;
  const fs::path& first = d.cases[0].images[0];
  const int64_t channels = channels_of(d.cases);
  if (channels == 3) d.channel_names = {"red", "green", "blue"};
  else for (int64_t k = 0; k < channels; ++k) d.channel_names.push_back(k == 0 ? "image" : "image " + std::to_string(k));
  if (const std::string ending = volume_extension(first); !ending.empty()) d.file_ending = ending;
  return d;
}

}  // namespace voxgrad
