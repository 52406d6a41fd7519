#include <algorithm>
#include <map>

#include "core/error.h"
#include "data/case_files.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

using Channels = std::map<int, fs::path>;  // -1: a name without a number

// What a file is for a network of several channels: can it be read, and does it hold all of them.
enum class Holds { all, some, unknown };
Holds what_holds(const fs::path& file, int64_t channels) {
  try {
    return read_header(file).shape[3] == channels ? Holds::all : Holds::some;
  } catch (const Error&) { return Holds::unknown; }
}

// The cases of files whose names differ in the number of the channel alone.
std::vector<DatasetCase> cases_of(const std::string& id, const Channels& files, int64_t channels) {
  std::vector<DatasetCase> out;
  DatasetCase joined{.id = id};
  for (auto& [channel, file] : files) joined.images.push_back(file);
  const Holds first = what_holds(joined.images[0], channels);
  const bool complete = files.begin()->first == 0 && files.rbegin()->first == channels - 1 && int64_t(files.size()) == channels;
  if (complete && first != Holds::all) return {joined};
  if (files.size() == 1 && files.contains(0) && first != Holds::some) return {joined};  // RGB, or who reads it says why it cannot be
  const bool numbers = files.begin()->first >= 0 && files.rbegin()->first < channels;
  if (first != Holds::all && numbers) {
    for (int k = 0; k < int(channels); ++k) {
      if (files.contains(k)) continue;
      const std::string number = "000" + std::to_string(k), ending = volume_extension(joined.images[0]);
      joined.fault += (joined.fault.empty() ? ": the case " + id + " lacks channel " : ", channel ") + std::to_string(k) + " (" + id + "_" +
                      number.substr(number.size() - 4) + ending + ")";
    }
    joined.fault = joined.images[0].parent_path().string() + joined.fault;
    return {joined};
  }
  for (auto& file : joined.images) out.push_back({.id = case_id(file), .images = {file}});
  return out;
}

[[noreturn]] void fail_without_images(const fs::path& folder) {
  std::string first;
  for (auto& entry : fs::directory_iterator(folder)) {
    const std::string kind = entry.is_regular_file() ? unread_kind(entry.path()) : "";
    const std::string line = "; " + entry.path().filename().string() + " is " + kind;
    if (!kind.empty() && (first.empty() || line < first)) first = line;
  }
  fail(folder.string(), ": is a folder without images", first);
}

}  // namespace

// Also below it, as scanners and archives export series.
bool holds_dicom(const fs::path& folder) {
  constexpr int kDeepest = 32;
  const auto readable = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(folder, readable); at != fs::recursive_directory_iterator(); ++at) {
    if (at->path().filename().string().starts_with('.') || at.depth() >= kDeepest) at.disable_recursion_pending();
    else if (at->is_regular_file() && is_dicom(at->path())) return true;
  }
  return false;
}

std::vector<DatasetCase> list_images(const fs::path& path, int64_t channels) {
  check(fs::exists(path), path.string(), ": there is no such file or folder");
  if (!fs::is_directory(path)) return {{.id = case_id(path), .images = {path}}};
  std::vector<fs::path> files;
  bool dicom = false;
  for (auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with('.') || !entry.is_regular_file()) continue;
    const std::string ending = volume_extension(entry.path());
    if (ending.starts_with(".dcm") || (ending.empty() && is_dicom(entry.path()))) dicom = true;
    else if (!ending.empty() && !ending.starts_with(".img")) files.push_back(entry.path());
  }
  if (files.empty() && (dicom || holds_dicom(path)))
    return {{.id = (path / ".").lexically_normal().parent_path().filename().string(), .images = {path}}};
  if (files.empty()) fail_without_images(path);
  std::sort(files.begin(), files.end());

  std::map<std::string, Channels> found;
  std::map<std::string, std::string> doubled;  // a channel that two files have, by case
  bool single = true;                          // every name ends in _0000
  for (auto& file : files) {
    const auto [id, channel] = split_channel(case_id(file));
    single = single && channel == 0 && !found.contains(id);
    if (!found[id].emplace(channel, file).second) doubled[id] = file.string() + ": " + found[id][channel].string() + " is there too";
  }
  std::vector<DatasetCase> out;
  if (channels == 1) {
    for (auto& file : files) out.push_back({.id = single ? split_channel(case_id(file)).first : case_id(file), .images = {file}});
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
