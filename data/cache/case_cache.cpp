#include "data/cache/case_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr const char* kDescription = "cache.json";
constexpr const char* kEnding = ".case";

// All that decides what becomes of a case: the description without what is of the network alone.
Json settings_of(const ModelDescription& d, const TargetSource& targets, DType image) {
  ModelDescription used = d;
  used.network = "{}";
  Json j = to_json(used);
  for (const char* key : {"network", "patch", "overlap", "mirror", "mirror_axes", "dtype", "format"}) j.erase(key);
  if (const std::string decides = targets.decides_targets(); !decides.empty()) {
    j.erase("task");
    j["targets"] = parse_json(decides, "the task");
  }
  j["image"] = name_of(image);
  j["version"] = 1;  // of preprocessing: one more where the same settings give other voxels
  return j;
}

// Name, size and time of change of a file, or of each file in a folder.
void stamp(const fs::path& path, const fs::path& root, Json& into) {
  std::error_code none;
  if (fs::is_directory(path, none)) {
    std::vector<fs::path> files;
    for (auto& e : fs::recursive_directory_iterator(path, none))
      if (e.is_regular_file(none)) files.push_back(e.path());
    std::sort(files.begin(), files.end());
    for (auto& f : files) stamp(f, root, into);
    return;
  }
  struct stat s;
  if (stat(path.c_str(), &s) != 0) return;  // who reads it says why
  const int64_t time = int64_t(s.st_mtim.tv_sec) * 1000000000 + s.st_mtim.tv_nsec;
  into.push_back({fs::path(path).lexically_relative(root).string(), int64_t(s.st_size), time});
}

// A file and those that its header may name.
void stamp_volume(const fs::path& path, const fs::path& root, Json& into) {
  stamp(path, root, into);
  const std::string ending = path.extension().string();
  const auto beside = [&](std::initializer_list<const char*> endings) {
    for (const char* e : endings) stamp(fs::path(path).replace_extension(e), root, into);
  };
  if (ending == ".mhd") beside({".raw", ".zraw"});
  if (ending == ".nhdr") beside({".raw", ".raw.gz"});
  if (ending == ".hdr") beside({".img", ".img.gz"});
  if (ending == ".img") beside({".hdr", ".hdr.gz"});
  if (ending == ".tif" || ending == ".tiff") beside({".json"});
}

std::string short_text(const Json& j) {
  const std::string text = json_text(j);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

// Whether there is nothing in it, but for hidden files that a killed process may have left.
bool is_free(const fs::path& folder) {
  std::error_code none;
  const auto status = fs::status(folder, none);
  if (!fs::is_directory(status)) return !fs::exists(status);
  for (auto& e : fs::directory_iterator(folder, none))
    if (!e.path().filename().string().starts_with('.')) return false;
  return true;
}

void check_same(const fs::path& folder, const Json& there, const Json& wanted) {
  for (auto& [key, value] : wanted.items()) {
    const Json before = there.is_object() && there.contains(key) ? there[key] : Json();
    check(before == value, folder.string(), ": holds cases that were preprocessed otherwise: ", key, " was ", short_text(before),
          ", now it is ", short_text(value), "; give another folder, or remove this one");
  }
  for (auto& [key, value] : there.items())
    check(wanted.contains(key), folder.string(), ": holds cases that were preprocessed otherwise: ", key, " was ", short_text(value),
          ", now it is as usual; give another folder, or remove this one");
}

}  // namespace

CaseCache::CaseCache(fs::path folder, const Dataset& data, const ModelDescription& d, const TargetSource& targets, DType image)
    : folder_(std::move(folder)), root_(data.root), image_(image) {
  const Json settings = settings_of(d, targets, image);
  settings_ = json_text(settings);
  std::error_code none;
  const fs::path description = folder_ / kDescription;
  if (!fs::exists(description, none)) {
    const bool possible = is_free(folder_) || fs::exists(description, none);
    check(possible, folder_.string(), ": is no folder of preprocessed cases; a new or empty one is wanted");
    make_folders(folder_);
    AtomicFile file(description, AtomicFile::Busy::wait);
    if (!fs::exists(description, none)) {  // else another process has made it meanwhile
      file.write(json_text({{"what", "cases preprocessed by voxgrad"}, {"data", data.name}, {"settings", settings}}));
      file.commit();
      return;
    }
  }
  const Json j = read_json(description);
  const bool complete = j.is_object() && j.contains("settings") && j["settings"].is_object();
  check(complete, description.string(), ": has no \"settings\"; it is no cache");
  check_same(folder_, j["settings"], settings);
}

fs::path CaseCache::file_of(const std::string& id) const {
  std::string name;
  for (unsigned char c : id) {
    const bool plain = std::isalnum(c) || c == '-' || c == '_' || (c == '.' && !name.empty());
    char coded[4];
    std::snprintf(coded, sizeof coded, "%%%02X", c);
    name += plain ? std::string(1, char(c)) : coded;
  }
  return folder_ / (name + kEnding);
}

std::string CaseCache::key_of(const DatasetCase& c) const {
  Json files = Json::array();
  for (auto& f : c.images) stamp_volume(f, root_, files);
  if (!c.label.empty()) stamp_volume(c.label, root_, files);
  if (!c.previous.empty()) stamp_volume(c.previous, root_, files);
  for (auto& [name, text] : c.targets) {
    const Json value = Json::parse(text, nullptr, false);
    if (value.is_string()) stamp_volume(root_ / value.get<std::string>(), root_, files);  // where it names a file
  }
  return json_text({{"settings", parse_json(settings_, "the settings")},
                    {"files", files},
                    {"targets", c.targets},
                    {"series", c.series},
                    {"volume", c.volume},
                    {"resample", c.resample}});
}

CaseCache::Entry CaseCache::find(const DatasetCase& c) const {
  const fs::path path = file_of(c.id);
  std::error_code none;
  if (!fs::exists(path, none)) return {Found::missing, {}};
  try {
    auto file = std::make_shared<const CaseFile>(path);
    if (file->id() == c.id && file->key() == key_of(c)) return {Found::current, file};
    return {Found::outdated, {}};
  } catch (const Error&) { return {Found::missing, {}}; }
}

std::shared_ptr<const CaseFile> CaseCache::put(const DatasetCase& c, const Case& made) const {
  const fs::path path = file_of(c.id);
  write_case_file(path, made, parse_json(key_of(c), "the key"), image_);
  return std::make_shared<const CaseFile>(path);
}

}  // namespace voxgrad
