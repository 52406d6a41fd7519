#include <algorithm>
#include <cctype>
#include <map>

#include "core/error.h"
#include "data/case_files.h"
#include "data/listing/files_by_case.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

using Channels = std::map<int, fs::path>;  // -1: a name without a number

// The cases of files whose names differ in the number of the channel alone.
std::vector<DatasetCase> cases_of(const std::string& id, const Channels& files, int64_t channels) {
  std::vector<DatasetCase> out;
  DatasetCase joined{.id = id};
  for (auto& [channel, file] : files) joined.images.push_back(file);
  const int64_t held = channels_in(joined.images[0]);
  const bool complete = files.begin()->first == 0 && files.rbegin()->first == channels - 1 && int64_t(files.size()) == channels;
  if (complete && held != channels) return {joined};
  if (files.size() == 1 && files.contains(0) && held != 1) return {joined};  // RGB, or who reads it says what is wrong
  const bool numbers = files.begin()->first >= 0 && files.rbegin()->first < channels;
  if (held != channels && numbers) {
    for (int k = 0; k < int(channels); ++k) {
      if (files.contains(k)) continue;
      const std::string number = "000" + std::to_string(k), ending = volume_extension(joined.images[0]);
      joined.fault += (joined.fault.empty() ? ": the case " + id + " lacks channel " : ", channel ") + std::to_string(k) + " (" + id + "_" +
                      number.substr(number.size() - 4) + ending + ")";
    }
    joined.fault = joined.images[0].parent_path().string() + joined.fault;
    return {joined};
  }
  for (auto& file : joined.images) out.push_back({.id = case_name(file), .images = {file}});
  return out;
}

[[noreturn]] void fail_without_images(const fs::path& folder) {
  std::string first;
  for (auto& entry : fs::directory_iterator(folder)) {
    const std::string kind = entry.is_regular_file() ? unread_kind(entry.path()) : "";
    const std::string line = "; " + entry.path().filename().string() + " is " + kind;
    if (!kind.empty() && (first.empty() || line < first)) first = line;
    if (!entry.is_directory() || !first.empty()) continue;
    for (auto& file : fs::directory_iterator(entry.path(), fs::directory_options::skip_permission_denied))
      if (file.is_regular_file() && !volume_extension(file.path()).empty() && first.empty())
        first = "; in a folder below it is " + (entry.path().filename() / file.path().filename()).string() +
                ": images are wanted in one folder, named by their cases";
  }
  fail(folder.string(), ": is a folder without images", first);
}

// A number in the list of each folder, and not the end of a UID, which one folder of several alone can have.
bool is_number(const std::string& series) {
  return series.size() <= 3 && std::all_of(series.begin(), series.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string folder_name(const fs::path& folder) { return (folder / ".").lexically_normal().parent_path().filename().string(); }

// Of a folder without other images.
std::vector<DatasetCase> dicom_images(const fs::path& folder, const std::string& series) {
  std::vector<DatasetCase> out;
  if (is_number(series))
    for (const fs::path& one : dicom_cases(folder)) out.push_back({.id = one.filename().string(), .images = {one}});
  if (out.empty()) out.push_back({.id = folder_name(folder), .images = {folder}});
  return out;
}

}  // namespace

std::vector<DatasetCase> list_images(const fs::path& path, int64_t channels, const std::string& series) {
  check(fs::exists(path), path.string(), ": there is no such file or folder");
  const auto listed = [&] {
    const Dataset d = read_dataset(path);
    return d.tests.empty() ? d.cases : d.tests;
  };
  if (!fs::is_directory(path) && is_dataset(path)) return listed();
  if (!fs::is_directory(path)) return {{.id = case_name(path), .images = {path}}};
  std::vector<fs::path> files;
  bool dicom = false;
  for (auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with('.') || !entry.is_regular_file()) continue;
    const std::string ending = volume_extension(entry.path());
    if (ending.starts_with(".dcm") || (ending.empty() && is_dicom(entry.path()))) dicom = true;
    else if (!ending.empty() && !ending.starts_with(".img")) files.push_back(entry.path());
  }
  if (files.empty() && (dicom || holds_dicom(path))) return dicom_images(path, series);
  if (files.empty() && !fs::exists(path / "dataset.json") && is_dataset(path)) return listed();
  if (files.empty()) fail_without_images(path);
  std::sort(files.begin(), files.end());

  std::map<std::string, Channels> found;
  std::map<std::string, std::string> doubled;  // a channel that two files have, by case
  bool single = true;                          // every name ends in _0000
  for (auto& file : files) {
    const auto [id, channel] = split_channel(case_name(file));
    single = single && channel == 0 && !found.contains(id);
    if (!found[id].emplace(channel, file).second) doubled[id] = file.string() + ": " + found[id][channel].string() + " is there too";
  }
  std::vector<DatasetCase> out;
  if (channels == 1) {
    for (auto& file : files) out.push_back({.id = single ? split_channel(case_name(file)).first : case_name(file), .images = {file}});
  } else {
    for (auto& [id, numbered] : found)
      for (DatasetCase& c : cases_of(id, numbered, channels)) {
        if (doubled.contains(id)) c.fault = doubled[id];
        out.push_back(std::move(c));
      }
  }
  std::sort(out.begin(), out.end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(out.begin(), out.end(), [](auto& a, auto& b) { return a.id == b.id; });
  check(twice == out.end(), path.string(), ": the case ", twice == out.end() ? "" : twice->id, " occurs twice");
  return out;
}

}  // namespace voxgrad
