#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace voxgrad {

// One reader of what others wrote, for libFuzzer: whatever the bytes are, it gives a result or one Error.
struct FuzzTarget {
  std::string name;
  std::function<void(const std::string& bytes)> run;
  std::function<std::vector<std::string>()> seeds;  // good inputs to start from
};
std::vector<FuzzTarget> volume_targets();
std::vector<FuzzTarget> dicom_targets();
std::vector<FuzzTarget> tiff_targets();
std::vector<FuzzTarget> weight_targets();
std::vector<FuzzTarget> json_targets();

// A path in a folder of this process alone, in memory.
std::filesystem::path fuzz_file(const std::string& name);

}  // namespace voxgrad
