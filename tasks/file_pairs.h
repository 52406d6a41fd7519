#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "io/grid.h"

namespace voxgrad {

// A result and its reference, of one case.
struct FilePair {
  std::string id;
  std::filesystem::path prediction, reference;
};
struct PairOptions {
  bool partial = false;             // references without a prediction are left out instead of refused
  const char* what = "label maps";  // for messages
  std::string series = {};          // a folder holds this DICOM series, and not a file for every case
  // The name of a case by its file; empty: no such file. Volumes without it (files_by_case).
  std::function<std::string(const std::filesystem::path&)> id = {};
};
// The files of two folders by the names of their cases, in their order; two files belong together whatever their names.
std::vector<FilePair> pair_files(const std::filesystem::path& predictions, const std::filesystem::path& references,
                                 const PairOptions& = {});

// Both in canonical orientation, the prediction on the grid of its reference (io/grid.h).
struct PairOfVolumes {
  Volume prediction, reference;
};
PairOfVolumes read_pair(const FilePair&, OtherGrid, bool labels, const std::string& series = {});
PairOfVolumes on_one_grid(const FilePair&, const Volume& prediction, const Volume& reference, OtherGrid);  // of volumes that were read

}  // namespace voxgrad
