#pragma once
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace voxgrad {

// A folder of files of other programs, kept outside the project: in VOXGRAD_DATA, or in ../shared/data beside the sources. Empty where it
// is absent, which is reported.
inline std::filesystem::path outside_data(const char* name) {
  namespace fs = std::filesystem;
  const char* given = std::getenv("VOXGRAD_DATA");
  const fs::path folder = (given ? fs::path(given) : fs::path(VOXGRAD_SOURCE_DIR) / ".." / "shared" / "data") / name;
  if (fs::exists(folder)) return folder;
  std::cout << "skipped: there is no " << folder.string() << '\n';
  return {};
}

}  // namespace voxgrad
