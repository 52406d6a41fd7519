#include "data/case_files.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/listing/files_by_case.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::string channel_name(const std::string& id, int64_t channel, const std::string& ending) {
  const std::string number = std::to_string(channel);
  return id + "_" + std::string(4 - std::min<size_t>(4, number.size()), '0') + number + ending;
}

// Where dataset.json puts a file, which need not be there.
fs::path listed_path(const fs::path& root, const std::string& name, const std::string& who) {
  fs::path inside = fs::path(name).lexically_normal();
  if (inside.has_parent_path() && !inside.has_filename()) inside = inside.parent_path();  // a folder
  check(inside.is_relative() && !inside.empty() && *inside.begin() != "..", who, ": lists \"", name, "\", which is outside the data set");
  return root / inside;
}

std::string file_name_of(const Json& name, const std::string& who) {
  check(name.is_string(), who, ": lists ", name.dump().substr(0, 60), " where a file name is wanted");
  return name.get<std::string>();
}

// The files of a listed image.
std::vector<fs::path> listed_images(const Dataset& d, const Json& name, const std::string& who) {
  const fs::path path = listed_path(d.root, file_name_of(name, who), who);
  if (fs::is_directory(path)) return {dataset_file(d.root, file_name_of(name, who), who)};
  const auto numbered = [&](const std::string& id) {
    std::vector<fs::path> files;
    for (size_t k = 0; k < d.channel_names.size(); ++k)
      files.push_back(path.parent_path() / channel_name(id, int64_t(k), volume_extension(path)));
    return files;
  };
  if (!fs::is_regular_file(path)) {
    const std::vector<fs::path> files = numbered(case_name(path));
    if (files.empty() || !fs::is_regular_file(files[0])) return {dataset_file(d.root, file_name_of(name, who), who)};
    for (size_t k = 0; k < files.size(); ++k)
      check(fs::is_regular_file(files[k]), who, ": lists ", name.dump(), ", of which channel ", k, " (", d.channel_names[k],
            ") is missing: there is no file ", files[k].string());
    return files;
  }
  const auto [id, channel] = split_channel(case_name(path));
  if (channel != 0 || d.channel_names.size() < 2) return {path};
  const std::vector<fs::path> files = numbered(id);
  const bool all = std::all_of(files.begin(), files.end(), [](auto& f) { return fs::is_regular_file(f); });
  return all ? files : std::vector<fs::path>{path};
}

// The files of a case by the number of their channel.
using Channels = std::map<int, fs::path>;

DatasetCase case_of(const Dataset& d, const std::string& id, Channels& files, const char* images, const char* labels) {
  DatasetCase c{.id = id};
  const int64_t named = int64_t(d.channel_names.size());
  const int64_t held = named > 1 && files.size() == 1 && files.contains(0) ? channels_in(files[0]) : 0;
  const bool together = held == named;
  check(held <= 1 || together, files[0].string(), ": holds ", held, " channels, dataset.json names ", named);
  if (together) c.images.push_back(files[0]);
  for (int channel = 0; !together && channel < int(d.channel_names.size()); ++channel) {
    check(files.contains(channel), (d.root / images).string(), ": case ", id, " has no file for channel ", channel, " (",
          d.channel_names[size_t(channel)], ")");
    c.images.push_back(files[channel]);
  }
  check(together || files.size() == d.channel_names.size(), (d.root / images).string(), ": case ", id, " has ", files.size(),
        " channels, dataset.json names ", d.channel_names.size());
  if (!labels) return c;
  c.label = d.root / labels / (id + d.file_ending);
  const fs::path folder = d.root / labels / id;
  const bool series = !fs::exists(c.label) && fs::is_directory(folder) && holds_dicom(folder);
  check(series || fs::is_regular_file(c.label), "case ", id, ": there is no label ", c.label.string());
  if (series) c.label = folder;
  return c;
}
}  // namespace

std::pair<std::string, int> split_channel(const std::string& stem) {
  const size_t n = stem.size();
  if (n < 6 || stem[n - 5] != '_' || !std::all_of(stem.end() - 4, stem.end(), [](unsigned char c) { return std::isdigit(c); }))
    return {stem, -1};
  return {stem.substr(0, n - 5), std::stoi(stem.substr(n - 4))};
}

int64_t channels_in(const fs::path& file) {
  try {
    return read_header(file).shape[3];
  } catch (const Error&) { return 0; }
}

fs::path dataset_file(const fs::path& root, const std::string& name, const std::string& who) {
  const fs::path path = listed_path(root, name, who);
  if (fs::is_directory(path)) check(holds_dicom(path), who, ": lists \"", name, "\", a folder without DICOM files");
  else check(fs::is_regular_file(path), who, ": lists \"", name, "\", but there is no file ", path.string());
  return path;
}

DatasetCase listed_case(const Dataset& d, const Json& entry, const std::string& who) {
  DatasetCase c;
  const Json& image = entry.is_object() ? entry.contains("image")    ? entry["image"]
                                          : entry.contains("images") ? entry["images"]
                                                                     : Json()
                                        : entry;
  if (image.is_array()) {
    for (const Json& file : image) c.images.push_back(dataset_file(d.root, file_name_of(file, who), who));
  } else {
    c.images = listed_images(d, image, who);
  }
  check(!c.images.empty(), who, ": a case has no image");
  const Json others = entry.is_object() ? entry : Json::object();
  for (auto& [key, value] : others.items())
    if (key == "label" && value.is_string()) c.label = dataset_file(d.root, value.get<std::string>(), who);
    else if (key == "series" && value.is_string()) c.series = value.get<std::string>();
    else if (key != "image" && key != "images") c.targets[key] = value.dump();
  const fs::path named = !c.label.empty() ? c.label : image.is_string() ? fs::path(image.get<std::string>()) : c.images[0];
  c.id = case_name(named);
  if (c.label.empty() && c.images.size() > 1) c.id = split_channel(c.id).first;
  return c;
}

std::vector<DatasetCase> cases_in(const Dataset& d, const char* images, const char* labels, std::vector<std::string>* faults) {
  const auto or_fault = [&](auto&& f) {
    try {
      f();
    } catch (const Error& e) {
      if (!faults) throw;
      faults->push_back(e.what());
    }
  };
  std::map<std::string, Channels> found;
  std::error_code none;
  if (fs::is_directory(d.root / images, none))
    for (auto& file : fs::directory_iterator(d.root / images)) {
      const std::string name = file.path().filename().string();
      const bool series = file.is_directory();
      if (is_hidden(file.path()) || !(series ? holds_dicom(file.path()) : name.ends_with(d.file_ending))) continue;
      or_fault([&] {
        auto [id, channel] = split_channel(series ? name : name.substr(0, name.size() - d.file_ending.size()));
        if (series && channel < 0) channel = 0;
        check(channel >= 0, file.path().string(), ": its name does not end in _0000", d.file_ending, ", the number of a channel");
        found[id][channel] = file.path();
      });
    }
  std::vector<DatasetCase> cases;
  for (auto& [id, files] : found) or_fault([&, &id = id, &files = files] { cases.push_back(case_of(d, id, files, images, labels)); });
  return cases;
}

}  // namespace voxgrad
