#include "data/listing/files_by_case.h"

#include <set>

#include "core/error.h"
#include "io/image.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
bool is_hidden_file(const fs::path& file) { return file.filename().string().starts_with('.'); }
bool is_probabilities(const fs::path& file) { return file.extension() == ".npz"; }
bool is_second_of_pair(const fs::path& file) { return volume_extension(file).starts_with(".img"); }

// The volumes among files, by the rules of the header.
std::vector<fs::path> volumes_among(const std::vector<fs::path>& files) {
  bool only_pictures = true;
  std::set<std::string> masks, headers;
  for (const fs::path& file : files) {
    if (volume_extension(file).empty() || is_flat_picture(file)) continue;
    only_pictures = false;
    if (!is_probabilities(file)) masks.insert(case_name(file));
    if (volume_extension(file).starts_with(".hdr")) headers.insert(case_name(file));
  }
  std::vector<fs::path> out;
  for (const fs::path& file : files) {
    if (volume_extension(file).empty() || (!only_pictures && is_flat_picture(file))) continue;
    if (is_probabilities(file) && masks.contains(case_name(file))) continue;
    if (is_second_of_pair(file) && headers.contains(case_name(file))) continue;
    out.push_back(file);
  }
  return out;
}
}  // namespace

std::string case_name(const fs::path& file) {
  const std::string name = file.filename().string(), ending = volume_extension(name);
  return name.substr(0, name.size() - ending.size());
}

std::map<std::string, fs::path> files_by_case(const fs::path& folder, const std::function<std::string(const fs::path&)>& id) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && !is_hidden_file(entry.path())) files.push_back(entry.path());
  std::map<std::string, fs::path> out;
  for (const fs::path& file : id ? files : volumes_among(files)) {
    const std::string name = id ? id(file) : case_name(file);
    if (name.empty()) continue;
    const auto [at, fresh] = out.emplace(name, file);
    check(fresh, folder.string(), ": the case ", name, " occurs twice, as ", at->second.filename().string(), " and ",
          file.filename().string());
  }
  if (!id && out.empty())
    for (const fs::path& one : dicom_cases(folder)) out.emplace(one.filename().string(), one);
  return out;
}

}  // namespace voxgrad
