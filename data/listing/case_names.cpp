#include <algorithm>
#include <set>

#include "data/listing/files_by_case.h"

namespace voxgrad {
namespace fs = std::filesystem;

std::vector<std::string> case_names(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> folders;
  for (const fs::path& given : files) {
    const fs::path file = (given.has_filename() ? given : given.parent_path()).lexically_normal();
    names.push_back(fs::is_directory(file) ? file.filename().string() : case_name(file));
    folders.emplace_back();
    for (const fs::path& part : file.parent_path()) folders.back().push_back(part.string());
  }
  if (std::set(names.begin(), names.end()).size() == names.size()) return names;
  size_t common = folders[0].size();
  for (const auto& f : folders)
    common = size_t(std::mismatch(f.begin(), f.begin() + int64_t(std::min(common, f.size())), folders[0].begin()).first - f.begin());
  for (size_t i = 0; i < names.size(); ++i)
    for (size_t k = folders[i].size(); k > common; --k) names[i] = folders[i][k - 1] + "_" + names[i];
  return names;
}

}  // namespace voxgrad
