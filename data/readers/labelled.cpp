#include "data/readers/labelled.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "core/lists/first_few.h"
#include "data/pictures/colours.h"
#include "data/readers/csv.h"
#include "data/listing/files_by_case.h"
#include "data/readers/dataset_reader.h"
#include "io/formats/formats.h"
#include "io/image.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

double number_of(const std::string& name) {
  const size_t digits = std::min(name.find_first_not_of('0'), name.size() - 1);
  return number_of_field(name.starts_with('0') ? name.substr(digits) : name);  // 007 is 7
}

// What was meant as one class, such as 1 and 1.0, is not to be two.
void check_numbers_differ(const std::vector<std::string>& sorted, const std::string& who) {
  for (size_t k = 1; k < sorted.size(); ++k)
    check(number_of(sorted[k - 1]) != number_of(sorted[k]), who, ": the classes \"", sorted[k - 1], "\" and \"", sorted[k],
          "\" are one number, written in two ways");
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

// No case tests that trains or validates; an image that does so under another name is told of.
void check_parts(Dataset& d, const std::string& who) {
  std::set<std::string> known;
  std::map<fs::path, std::string> files;
  for (const DatasetCase& c : d.cases) {
    known.insert(c.id);
    files.emplace(c.images[0].lexically_normal(), c.id);
  }
  int64_t both = 0;
  std::string first;
  for (const DatasetCase& c : d.tests) {
    check(!known.contains(c.id), who, ": the case ", c.id, " occurs twice, among the test cases and among the others");
    const auto found = files.find(c.images[0].lexically_normal());
    if (found != files.end() && both++ == 0) first = found->second + " and " + c.id + ", which are " + c.images[0].string();
  }
  if (both > 0)
    d.warnings.push_back(std::to_string(both) + (both == 1 ? " image tests" : " images test") +
                         " and is among the other cases as well, such as that of " + first);
}

// What a network is chosen or tested by is not to be of patients that it has seen.
void warn_of_shared_patients(Dataset& d) {
  std::set<std::string> validates, trained, others, shared;
  if (d.split) validates.insert(d.split->validation.begin(), d.split->validation.end());
  for (const DatasetCase& c : d.cases) (validates.contains(c.id) ? others : trained).insert(patient_of(c));
  for (const DatasetCase& c : d.tests) others.insert(patient_of(c));
  for (const std::string& patient : trained)
    if (!patient.empty() && others.contains(patient)) shared.insert(patient);
  if (!shared.empty())
    d.warnings.push_back("have cases that train and others that validate or test: patients " +
                         first_few(std::vector(shared.begin(), shared.end()), 3));
}

}  // namespace

std::optional<std::string> part_of(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  if (word == "train" || word == "training" || word == "tr") return "train";
  if (word == "val" || word == "valid" || word == "validation" || word == "dev") return "val";
  if (word == "test" || word == "testing" || word == "ts") return "test";
  return {};
}

bool class_comes_before(const std::string& a, const std::string& b) {
  const double of_a = number_of(a), of_b = number_of(b);
  if (std::isnan(of_a) || std::isnan(of_b)) return std::isnan(of_a) == std::isnan(of_b) ? a < b : std::isnan(of_b);
  return of_a != of_b ? of_a < of_b : a < b;
}

std::vector<std::string> channel_names_of(int64_t channels, bool bytes) {
  if (channels == 3 && bytes) return {"red", "green", "blue"};
  std::vector<std::string> out;
  for (int64_t k = 0; k < channels; ++k) out.push_back(k == 0 ? "image" : "image " + std::to_string(k));
  return out;
}

Dataset labelled_dataset(const fs::path& root, const std::string& name, std::vector<LabelledImage> images, const std::string& who,
                         std::set<std::string> classes, bool lists) {
  Dataset d{.name = name, .root = root};
  const bool several =
      lists && std::any_of(images.begin(), images.end(), [](auto& i) { return i.label.find_first_of(kSeparators) != i.label.npos; });
  for (const LabelledImage& i : images)
    for (auto& name : several ? split_names(i.label) : std::vector{i.label})
      if (!name.empty()) classes.insert(name);
  d.labels.assign(classes.begin(), classes.end());
  std::sort(d.labels.begin(), d.labels.end(), class_comes_before);
  check_numbers_differ(d.labels, who);
  name_by_files(images);
  Split split;
  for (LabelledImage& i : images) {
    if (several) i.image.targets["class"] = Json(split_names(i.label)).dump();
    else if (!i.label.empty()) i.image.targets["class"] = Json(i.label).dump();
    if (i.part == "val") split.validation.push_back(i.image.id);
    else if (i.part != "test") split.training.push_back(i.image.id);
    (i.part == "test" ? d.tests : d.cases).push_back(std::move(i.image));
  }
  complete(d, who, true);
  check_parts(d, who);
  if (!split.validation.empty()) d.split = split;
  warn_of_shared_patients(d);
  const std::vector<DatasetCase>& some = d.cases.empty() ? d.tests : d.cases;
  const fs::path& first = some[0].images[0];
  size_t files = 0;  // of a case
  for (const DatasetCase& c : some) files = std::max(files, c.images.size());
  const int64_t channels = files > 1 ? int64_t(files) : channels_of(some);
  const bool bytes = files == 1 && (channels != 3 || read_header(first, {.series = some[0].series}).stored == "u8");
  d.channel_names = channel_names_of(channels, bytes);
  if (const std::string ending = volume_extension(first); !ending.empty()) d.file_ending = ending;
  return d;
}

}  // namespace voxgrad
