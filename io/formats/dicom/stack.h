#pragma once
#include "io/formats/dicom/planes.h"
#include "io/formats/formats.h"

namespace voxgrad::dicom {

// Planes of one series with the same size and orientation, in the order in which they make a volume.
struct Placed {
  size_t object = 0;  // among the objects given
  Plane plane = {};
  int64_t slice = 0, channel = 0;
};
struct Stack {
  std::vector<Placed> planes = {};
  int64_t slices = 1, channels = 1, rows = 1, columns = 1;
  LpsGeometry geometry = {};
  std::vector<std::string> names = {};  // of the channels, where there are several
  std::string warning = {};
};

// Of planes that are alike (series.h): finds their order, the step between slices, which is not along the normal where the gantry was
// tilted, and what the planes at one position differ in. Refuses gaps, and planes at one position that nothing tells apart. `who` begins
// errors.
Stack stacked(std::vector<Placed> planes, const std::string& who);
// The same without a word on gaps: slices that are not there have no plane. Of segmentation objects, whose empty planes are left out.
Stack stacked_with_gaps(std::vector<Placed> planes, const std::string& who);

}  // namespace voxgrad::dicom
