#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/formats/voxels.h"
#include "io/volume.h"
#include "io/zip.h"

namespace voxgrad {

// The header of an array of NumPy, with the extents of the volume that it is.
struct Npy {
  VoxelLayout layout;
  bool fortran = false;
  bool complex = false;  // pairs of real and imaginary part, which become channels
  std::vector<int64_t> shape;
  size_t begin = 0;  // of the elements
};
Npy open_npy(ByteSource&);

struct NpyInArchive {
  Npy array;
  ZipEntry entry;
  std::optional<Affine> affine;  // of "affine" or "spacing" beside it
};
// The array that is meant: the one named, or the only one of two axes or more.
NpyInArchive open_npy_in_archive(const std::filesystem::path&, const std::string& array);

std::string npy_header(const Shape&, Stored);

}  // namespace voxgrad
