#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/volume.h"

namespace voxgrad {

// Images of one size in one array of NumPy, kept in memory as they are stored: {N, H, W}, {N, H, W, 3} (colours: three channels) or
// {N, D, H, W}, as the archives of MedMNIST have them. They say nothing of space: voxels are 1 mm wide.
class ImageStack {
 public:
  // An Error where the archive has no such array, or where it is none of these.
  ImageStack(const std::filesystem::path& archive, const std::string& array);

  int64_t count() const { return shape_[0]; }
  bool colour() const { return shape_.size() == 4 && shape_[3] == 3; }
  bool flat() const { return shape_.size() == 3 || colour(); }
  bool bytes() const;  // whether they are stored as u8, from 0 to 255
  const std::string& name() const { return name_; }  // of the file and the array, for messages
  Volume image(int64_t i) const;

 private:
  std::string name_;
  std::vector<int64_t> shape_;
  std::vector<std::byte> bytes_;
  size_t begin_ = 0, each_ = 0;  // bytes before the first image, and of each
  int stored_ = 0;               // Stored
  bool swapped_ = false;
};

// Names of the arrays in an archive (.npz); none where it is no archive.
std::vector<std::string> array_names(const std::filesystem::path&);
// Whole numbers of an array {N} or {N, K}, row by row. An Error by its name where they are none.
struct NumberTable {
  int64_t rows = 0, columns = 0;
  std::vector<int64_t> values;
};
NumberTable read_number_table(const std::filesystem::path& archive, const std::string& array);

}  // namespace voxgrad
