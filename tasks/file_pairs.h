#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace voxgrad {

// A result and its reference, of one case.
struct FilePair {
  std::string id;
  std::filesystem::path prediction, reference;
};
struct PairOptions {
  bool partial = false;              // references without a prediction are left out instead of refused
  const char* what = "label maps";   // for messages
  // The name of a case by its file; empty: no such file. Volumes but PNG and JPEG without it.
  std::function<std::string(const std::filesystem::path&)> id = {};
};
// The files of two folders by the names of their cases, in their order; two files belong together whatever their names.
std::vector<FilePair> pair_files(const std::filesystem::path& predictions, const std::filesystem::path& references,
                                 const PairOptions& = {});

// The name of a file without its folder and the ending of its format: "case_1.nii.gz" is case_1.
std::string case_name(const std::filesystem::path& file);

}  // namespace voxgrad
