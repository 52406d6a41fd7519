#pragma once
#include "io/formats/tiff/tiff.h"

namespace voxgrad {

// What the pages of a TIFF file are, and the size of its voxels, as its description says: that of ImageJ ("ImageJ=..", lines of
// name=value), OME (docs.openmicroscopy.org/ome-model: the element Pixels), or tifffile ({"shape": [channels, slices, height, width]}).
struct TiffAxes {
  int64_t slices = 1, channels = 1;
  std::vector<int64_t> slice, channel;  // of each page
  double step[3] = {0, 0, 0};           // mm along width, height, slices; 0: not said
  LengthUnit unit = LengthUnit::millimetre;
  std::string warning = {};
};
// Without a description all pages are slices. Refuses pages in time and of several channels at once, and a number of them that is not
// there.
TiffAxes tiff_axes(const std::vector<TiffPage>&, const std::string& who);

}  // namespace voxgrad
