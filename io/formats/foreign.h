#pragma once
// Pictures and DICOM files as ITK decodes them, in a child process (isolated.h).
#include "io/formats/formats.h"

namespace voxgrad {

struct Decoded {
  VoxelLayout layout;
  LpsGeometry geometry;
  std::string series, description;  // of DICOM: SeriesInstanceUID, SeriesDescription
  std::vector<std::byte> pixels;    // empty where only the header was asked for
};
enum class Foreign { dicom, tiff, png, jpeg };
enum class Part { header, all };

// All of `paths`, in one child. A file that cannot be decoded is an error that names it.
std::vector<Decoded> decode(Foreign, const std::vector<std::filesystem::path>& paths, Part);
// {1, H, W, C} or, as TIFF, {D, H, W, C}.
void encode(Foreign, const std::filesystem::path&, const Tensor&);

}  // namespace voxgrad
