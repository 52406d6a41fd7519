#include "data/dataset.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/formats/formats.h"
#include "io/formats/text_fields.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::string without(const std::string& name, const std::string& ending) {
  return name.ends_with(ending) ? name.substr(0, name.size() - ending.size()) : name;
}

// "case_0001" and 1 of "case_0001_0001"; -1 without such an ending.
std::pair<std::string, int> split_channel(const std::string& stem) {
  const size_t n = stem.size();
  if (n < 6 || stem[n - 5] != '_' || !std::all_of(stem.end() - 4, stem.end(), [](unsigned char c) { return std::isdigit(c); }))
    return {stem, -1};
  return {stem.substr(0, n - 5), std::stoi(stem.substr(n - 4))};
}

// A file that dataset.json names: inside the folder, and there.
fs::path listed_file(const fs::path& root, const Json& name, const std::string& who) {
  check(name.is_string(), who, ": lists ", name.dump().substr(0, 60), " where a file name is wanted");
  return dataset_file(root, name.get<std::string>(), who);
}

// Names by value from {"0": name} or {name: 0}.
std::vector<std::string> named_values(const Json& object, const std::string& what) {
  check(object.is_object() && !object.empty(), what, " is no object of names and numbers");
  std::map<int64_t, std::string> by_value;
  for (auto& [key, value] : object.items()) {
    check(!value.is_array(), what, ": \"", key, "\" is a region of several labels, which is not supported");
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

std::string id_of(const fs::path& path) { return without(path.filename().string(), volume_extension(path)); }

// {"image": file or [files], "label": file}; of test cases a file alone.
DatasetCase listed_case(const fs::path& root, const Json& entry, const std::string& who) {
  DatasetCase c;
  const Json& image = entry.is_object() ? entry.contains("image")    ? entry["image"]
                                          : entry.contains("images") ? entry["images"]
                                                                     : Json()
                                        : entry;
  if (image.is_array()) {
    for (const Json& file : image) c.images.push_back(listed_file(root, file, who));
  } else {
    c.images.push_back(listed_file(root, image, who));
  }
  check(!c.images.empty(), who, ": a case has no image");
  const Json others = entry.is_object() ? entry : Json::object();
  for (auto& [key, value] : others.items())
    if (key == "label" && value.is_string()) c.label = listed_file(root, value, who);
    else if (key != "image" && key != "images") c.targets[key] = value.dump();
  if (!c.label.empty()) c.id = id_of(c.label);
  else c.id = c.images.size() > 1 ? split_channel(id_of(c.images[0])).first : id_of(c.images[0]);
  return c;
}

// Whether the file holds `channels` itself, as an RGB picture does.
bool holds_channels(const fs::path& file, int64_t channels) {
  try {
    return channels > 1 && read_header(file).shape[3] == channels;
  } catch (const Error&) { return false; }  // who reads it says why
}

// imagesTr/{case}_0000{ending}, ...: every case with as many files as there are channels, or one that holds all of them.
std::vector<DatasetCase> cases_in(const Dataset& d, const char* images, const char* labels) {
  std::map<std::string, std::map<int, fs::path>> found;
  if (fs::is_directory(d.root / images))
    for (auto& file : fs::directory_iterator(d.root / images)) {
      const std::string name = file.path().filename().string();
      if (is_hidden(file.path()) || !name.ends_with(d.file_ending)) continue;
      const auto [id, channel] = split_channel(without(name, d.file_ending));
      check(channel >= 0, file.path().string(), ": its name does not end in _0000", d.file_ending, ", the number of a channel");
      found[id][channel] = file.path();
    }
  std::vector<DatasetCase> cases;
  for (auto& [id, files] : found) {
    DatasetCase c{.id = id};
    const bool together = files.size() == 1 && files.contains(0) && holds_channels(files[0], int64_t(d.channel_names.size()));
    if (together) c.images.push_back(files[0]);
    for (int channel = 0; !together && channel < int(d.channel_names.size()); ++channel) {
      check(files.contains(channel), (d.root / images).string(), ": case ", id, " has no file for channel ", channel, " (",
            d.channel_names[size_t(channel)], ")");
      c.images.push_back(files[channel]);
    }
    check(together || files.size() == d.channel_names.size(), (d.root / images).string(), ": case ", id, " has ", files.size(),
          " channels, dataset.json names ", d.channel_names.size());
    if (labels) {
      c.label = d.root / labels / (id + d.file_ending);
      check(fs::is_regular_file(c.label), "case ", id, ": there is no label ", c.label.string());
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

void sort_cases(std::vector<DatasetCase>& cases, const std::string& who) {
  std::sort(cases.begin(), cases.end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(cases.begin(), cases.end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id == b.id; });
  check(twice == cases.end(), who, ": the case ", twice == cases.end() ? "" : twice->id, " occurs twice");
}
}  // namespace

fs::path dataset_file(const fs::path& root, const std::string& name, const std::string& who) {
  const fs::path inside = fs::path(name).lexically_normal();
  check(inside.is_relative() && !inside.empty() && *inside.begin() != "..", who, ": lists \"", name, "\", which is outside the data set");
  const fs::path path = root / inside;
  check(fs::is_regular_file(path), who, ": lists \"", name, "\", but there is no file ", path.string());
  return path;
}

Dataset read_dataset(const fs::path& folder) {
  const fs::path file = folder / "dataset.json";
  check(fs::is_directory(folder), folder.string(), ": there is no such folder");
  check(fs::is_regular_file(file), folder.string(), ": has no dataset.json, so it is no data set");
  const std::string who = file.string();
  const Json json = read_json(file);
  check(json.is_object(), who, ": is no object");
  const auto present = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  Dataset d{.root = folder};
  d.json = json.dump();
  if (present("name")) d.name = json["name"].is_string() ? json["name"].get<std::string>() : json["name"].dump();
  else d.name = (folder / ".").lexically_normal().parent_path().filename().string();
  check(present("labels"), who, ": has no \"labels\"");
  d.labels = named_values(json["labels"], who + ": \"labels\"");
  const char* channels = present("channel_names") ? "channel_names" : "modality";
  check(present(channels), who, ": has neither \"modality\" nor \"channel_names\"");
  d.channel_names = named_values(json[channels], who + ": \"" + channels + "\"");
  if (present("file_ending")) d.file_ending = json["file_ending"].is_string() ? json["file_ending"].get<std::string>() : "";
  check(d.file_ending.starts_with('.'), who, ": \"file_ending\" is no file ending such as \".nii.gz\"");

  if (present("training")) {
    check(json["training"].is_array(), who, ": \"training\" is no list");
    for (const Json& entry : json["training"]) d.cases.push_back(listed_case(folder, entry, who));
    if (present("test"))
      for (const Json& entry : json["test"]) d.tests.push_back(listed_case(folder, entry, who));
    if (!d.cases.empty() && !present("file_ending")) d.file_ending = volume_extension(d.cases[0].images[0]);
  } else if (present("dataset")) {
    for (auto& [id, entry] : json["dataset"].items()) {
      d.cases.push_back(listed_case(folder, entry, who));
      d.cases.back().id = id;
    }
  } else {
    d.cases = cases_in(d, "imagesTr", "labelsTr");
    d.tests = cases_in(d, "imagesTs", nullptr);
  }
  check(!d.cases.empty(), who, ": the data set is empty: it has no training case");
  for (auto& c : d.cases)
    check(c.images.size() == 1 || c.images.size() == d.channel_names.size(), who, ": the case ", c.id, " has ", c.images.size(),
          " images for ", d.channel_names.size(), " channels");
  sort_cases(d.cases, who), sort_cases(d.tests, who);
  return d;
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
  for (size_t i = 0; i < d.labels.size(); ++i) json["labels"][d.labels[i]] = i;
  json["file_ending"] = d.file_ending;
  json["numTraining"] = d.cases.size(), json["numTest"] = d.tests.size();
  json["training"] = Json::array(), json["test"] = Json::array();
  for (auto& c : d.cases) {
    Json entry{{"image", images(c)}};
    if (!c.label.empty()) entry["label"] = relative(c.label);
    for (auto& [key, value] : c.targets) entry[key] = parse_json(value, key);
    json["training"].push_back(entry);
  }
  for (auto& c : d.tests) json["test"].push_back(images(c));
  write_json(d.root / "dataset.json", json);
}

std::vector<DatasetCase> list_images(const fs::path& path, int64_t channels) {
  check(fs::exists(path), path.string(), ": there is no such file or folder");
  if (!fs::is_directory(path)) return {{.id = id_of(path), .images = {path}}};
  std::vector<fs::path> files;
  bool dicom = false;
  for (auto& entry : fs::directory_iterator(path)) {
    if (is_hidden(entry.path()) || !entry.is_regular_file()) continue;
    const std::string ending = volume_extension(entry.path());
    if (ending == ".dcm" || (ending.empty() && is_dicom(entry.path()))) dicom = true;
    else if (!ending.empty() && !ending.starts_with(".img")) files.push_back(entry.path());
  }
  if (dicom && files.empty()) return {{.id = (path / ".").lexically_normal().parent_path().filename().string(), .images = {path}}};
  check(!files.empty(), path.string(), ": is a folder without images");
  std::sort(files.begin(), files.end());

  // nnU-Net's naming, if every case has exactly the files _0000 to the last channel; else every file is a case.
  std::map<std::string, DatasetCase> cases;
  bool numbered = true;
  for (auto& file : files) {
    const auto [id, channel] = split_channel(id_of(file));
    DatasetCase& c = cases[id];
    numbered = numbered && channel == int64_t(c.images.size()) && channel < channels;
    c.id = id, c.images.push_back(file);
  }
  for (auto& [id, c] : cases)
    numbered = numbered && (int64_t(c.images.size()) == channels || (c.images.size() == 1 && holds_channels(c.images[0], channels)));
  std::vector<DatasetCase> out;
  if (numbered) {
    for (auto& [id, c] : cases) out.push_back(std::move(c));
  } else {
    for (auto& file : files) out.push_back({.id = id_of(file), .images = {file}});
  }
  sort_cases(out, path.string());
  return out;
}

}  // namespace voxgrad
