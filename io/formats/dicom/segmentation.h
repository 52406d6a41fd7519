#pragma once
#include "io/formats/dicom/series.h"

namespace voxgrad::dicom {

// A segmentation object (PS3.3 C.8.20) as a mask. Planes that are left out, as empty ones may be, are zeros.
//   BINARY, LABELMAP    the numbers of the segments, 0 elsewhere; where segments overlap a 0/1 channel each, which labels refuse
//   FRACTIONAL          f32 channels of 0 .. 1; as labels the largest segment, from one half on
struct Segmented {
  Stack stack;
  Tensor data;
};
Segmented read_segmentation(const Series&, bool labels, const std::string& who);

}  // namespace voxgrad::dicom
