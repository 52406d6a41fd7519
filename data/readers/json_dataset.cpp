#include "data/dataset.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/case_files.h"
#include "data/listing/files_by_case.h"
#include "data/readers/dataset_reader.h"
#include "io/formats/formats.h"
#include "io/formats/text_fields.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
// Keys of dataset.json that are used, or that only tell of where the data come from; the last ones are nnDetection's.
constexpr const char* kKnownKeys[] = {"labels",
                                      "regions_class_order",
                                      "channel_names",
                                      "modality",
                                      "file_ending",
                                      "training",
                                      "test",
                                      "dataset",
                                      "numTraining",
                                      "numTest",
                                      "overwrite_image_reader_writer",
                                      "use_mask_for_norm",
                                      "name",
                                      "description",
                                      "reference",
                                      "licence",
                                      "license",
                                      "release",
                                      "relase",
                                      "tensorImageSize",
                                      "converted_by",
                                      "citation",
                                      "author",
                                      "authors",
                                      "version",
                                      "modalities",
                                      "task",
                                      "dim",
                                      "test_labels"};
// What nnU-Net's readers do is done here by the kind of file.
constexpr const char* kReaders[] = {"SimpleITKIO",           "SimpleITKIOWithReorient", "NibabelIO",
                                    "NibabelIOWithReorient", "NaturalImage2DIO",        "Tiff3DIO"};

template <class Words>
bool is_one_of(const std::string& word, const Words& words) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// Names by value from {"0": name} or {name: 0}.
std::vector<std::string> named_values(const Json& object, const std::string& what) {
  check(object.is_object() && !object.empty(), what, " is no object of names and numbers");
  std::map<int64_t, std::string> by_value;
  for (auto& [key, value] : object.items()) {
    const bool msd = value.is_string();
    check(msd || value.is_number_integer(), what, ": \"", key, "\" is ", value.dump().substr(0, 40), ", wanted a name or a number");
    const auto number_of = msd ? number<int64_t>(key, what + ": a key") : value.get<int64_t>();
    check(by_value.emplace(number_of, msd ? value.get<std::string>() : key).second, what, ": the value ", number_of, " occurs twice");
  }
  std::vector<std::string> names;
  for (auto& [value, name] : by_value) {
    check(value == int64_t(names.size()), what, ": the values are not 0, 1, 2, ...: ", names.size(), " is missing, ", value, " is there");
    names.push_back(name);
  }
  return names;
}

// Lines of what dataset.json says in vain.
std::vector<std::string> not_understood(const Json& json, size_t cases, const std::string& who) {
  std::vector<std::string> out;
  std::string unknown;
  for (auto& [key, value] : json.items())
    if (!is_one_of(key, kKnownKeys)) unknown += (unknown.empty() ? "\"" : ", \"") + key + "\"";
  if (!unknown.empty()) out.push_back(who + ": " + unknown + " means nothing here and is not heeded");
  const Json reader = json.value("overwrite_image_reader_writer", Json());
  if (!reader.is_null() && !(reader.is_string() && (reader == "None" || is_one_of(reader.get<std::string>(), kReaders))))
    out.push_back(who + ": \"overwrite_image_reader_writer\" is " + reader.dump().substr(0, 60) +
                  ", which is not known; files are read by what they are");
  const Json number = json.value("numTraining", Json());
  if (number.is_number_integer() && number.get<int64_t>() != int64_t(cases))
    out.push_back(who + ": \"numTraining\" is " + number.dump() + ", but there are " + std::to_string(cases) + " cases for training");
  return out;
}

void sort_cases(std::vector<DatasetCase>& cases) {
  std::stable_sort(cases.begin(), cases.end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id < b.id; });
}

// Cases of a list are named by their labels; those without one by their image, whose name may end in the number of a channel. As in a
// folder (list_images), _0000 is one where all of these end in it.
void name_unlabelled(std::vector<DatasetCase>& cases) {
  const auto unlabelled = [](const DatasetCase& c) { return c.label.empty() && c.images.size() == 1; };
  for (const DatasetCase& c : cases)
    if (unlabelled(c) && split_channel(c.id).second != 0) return;
  for (DatasetCase& c : cases)
    if (unlabelled(c)) c.id = split_channel(c.id).first;
}

// Cases of a list whose files have the same names in folders of their own are named with these.
void name_with_folders(std::vector<DatasetCase>& cases) {
  std::set<std::string> ids;
  if (std::all_of(cases.begin(), cases.end(), [&](const DatasetCase& c) { return ids.insert(c.id).second; })) return;
  std::vector<fs::path> files;
  for (const DatasetCase& c : cases) files.push_back(c.label.empty() ? c.images[0] : c.label);
  const std::vector<std::string> names = case_names(files);
  for (size_t i = 0; i < cases.size(); ++i)
    cases[i].id = cases[i].label.empty() && cases[i].images.size() > 1 ? split_channel(names[i]).first : names[i];
}

// The first case that occurs twice, or the end.
auto twice_in(std::vector<DatasetCase>& cases) {
  return std::adjacent_find(cases.begin(), cases.end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id == b.id; });
}

// nnDetection has the folders of nnU-Net's names below raw_splitted, beside labels a file that says of which class each object is, and
// labels of test cases too.
std::string folders_below(const fs::path& root) {
  return !fs::is_directory(root / "imagesTr") && fs::is_directory(root / "raw_splitted" / "imagesTr") ? "raw_splitted/" : "";
}

// Test cases that cannot be used stop nobody: they are left out, with a line that says so.
void add_tests(Dataset& d, const Json& json, const std::string& who) {
  std::vector<std::string> faults;
  if (json.contains("training")) {
    const Json listed = json.value("test", Json::array());
    for (const Json& entry : listed.is_array() ? listed : Json::array()) try {
        d.tests.push_back(listed_case(d, entry, who));
      } catch (const Error& e) { faults.push_back(e.what()); }
    if (!listed.is_array() && !listed.is_null()) faults.push_back(who + ": \"test\" is no list");
    name_unlabelled(d.tests);
    name_with_folders(d.tests);
  } else if (!json.contains("dataset")) {
    const std::string below = folders_below(d.root), labels = below + "labelsTs";
    const bool labelled = json.contains("modalities") && fs::is_directory(d.root / labels);
    d.tests = cases_in(d, (below + "imagesTs").c_str(), labelled ? labels.c_str() : nullptr, &faults);
  }
  sort_cases(d.tests);
  for (auto at = twice_in(d.tests); at != d.tests.end(); at = twice_in(d.tests)) {
    faults.push_back("the case " + at->id + " occurs twice");
    d.tests.erase(at);
  }
  if (!faults.empty())
    d.warnings.push_back(std::to_string(faults.size()) + (faults.size() == 1 ? " test case is" : " test cases are") +
                         " left out: " + faults[0] + (faults.size() > 1 ? " and others" : ""));
}
}  // namespace

std::vector<std::string> ids_of(const Dataset& d) {
  std::vector<std::string> out;
  for (auto& c : d.cases) out.push_back(c.id);
  return out;
}

namespace {
Dataset read_listed(const fs::path& folder) {
  const fs::path file = folder / "dataset.json";
  const std::string who = file.string();
  const Json json = read_json(file);
  check(json.is_object(), who, ": is no object");
  const auto present = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  Dataset d{.root = folder};
  d.json = json.dump();
  if (present("name")) d.name = json["name"].is_string() ? json["name"].get<std::string>() : json["name"].dump();
  else d.name = (folder / ".").lexically_normal().parent_path().filename().string();
  const Labels labels = labels_of(json, who);
  d.labels = labels.names, d.label_map = labels.map;
  const char* channels = present("channel_names") ? "channel_names" : present("modalities") ? "modalities" : "modality";
  check(present(channels), who, ": has neither \"modality\" nor \"channel_names\"");
  d.channel_names = named_values(json[channels], who + ": \"" + channels + "\"");
  if (present("file_ending")) d.file_ending = json["file_ending"].is_string() ? json["file_ending"].get<std::string>() : "";
  check(d.file_ending.starts_with('.'), who, ": \"file_ending\" is no file ending such as \".nii.gz\"");

  if (present("training")) {
    check(json["training"].is_array(), who, ": \"training\" is no list");
    for (const Json& entry : json["training"]) d.cases.push_back(listed_case(d, entry, who));
    name_unlabelled(d.cases);
    name_with_folders(d.cases);
    const std::string ending = d.cases.empty() ? "" : volume_extension(d.cases[0].images[0]);
    if (!ending.empty() && !present("file_ending")) d.file_ending = ending;
  } else if (present("dataset")) {
    for (auto& [id, entry] : json["dataset"].items()) {
      d.cases.push_back(listed_case(d, entry, who));
      d.cases.back().id = id;
    }
  } else {
    const std::string below = folders_below(folder);
    d.cases = cases_in(d, (below + "imagesTr").c_str(), (below + "labelsTr").c_str(), nullptr);
  }
  check(!d.cases.empty(), who, ": the data set is empty: it has no training case");
  for (auto& c : d.cases)
    check(c.images.size() == 1 || c.images.size() == d.channel_names.size(), who, ": the case ", c.id, " has ", c.images.size(),
          " images for ", d.channel_names.size(), " channels");
  sort_cases(d.cases);
  const auto twice = twice_in(d.cases);
  check(twice == d.cases.end(), who, ": the case ", twice == d.cases.end() ? "" : twice->id, " occurs twice");
  add_tests(d, json, who);
  for (auto& line : not_understood(json, d.cases.size(), who)) d.warnings.push_back(line);
  return d;
}

}  // namespace

DatasetReader json_dataset() {
  return {"json", "a folder with dataset.json, as the Medical Segmentation Decathlon, nnU-Net and nnDetection have it",
          [](const fs::path& folder) { return fs::is_regular_file(folder / "dataset.json"); }, read_listed};
}

void write_dataset_json(const Dataset& d) {
  const auto relative = [&](const fs::path& path) { return "./" + path.lexically_relative(d.root).generic_string(); };
  const auto images = [&](const DatasetCase& c) {
    if (c.images.size() == 1) return Json(relative(c.images[0]));
    Json list = Json::array();
    for (auto& file : c.images) list.push_back(relative(file));
    return list;
  };
  Json json = {{"name", d.name}, {"tensorImageSize", "3D"}};
  for (size_t i = 0; i < d.channel_names.size(); ++i) json["modality"][std::to_string(i)] = d.channel_names[i];
  json["channel_names"] = json["modality"];
  // nnU-Net's form, which says the same as MSD's: readers of both take a name for each value.
  json.update(json_of_labels({d.labels, d.label_map}));
  json["file_ending"] = d.file_ending;
  json["numTraining"] = d.cases.size(), json["numTest"] = d.tests.size();
  json["training"] = Json::array(), json["test"] = Json::array();
  for (auto& c : d.cases) {
    Json entry{{"image", images(c)}};
    if (!c.label.empty()) entry["label"] = relative(c.label);
    if (!c.series.empty()) entry["series"] = c.series;
    for (auto& [key, value] : c.targets) entry[key] = parse_json(value, key);
    json["training"].push_back(entry);
  }
  for (auto& c : d.tests) json["test"].push_back(images(c));
  write_json(d.root / "dataset.json", json);
}

}  // namespace voxgrad
