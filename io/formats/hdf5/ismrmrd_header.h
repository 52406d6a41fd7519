#pragma once
#include <hdf5.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace voxgrad {

// The XML header of ISMRMRD (Inati et al. 2017), which fastMRI's files have too. What is read of it is looked for by the names of elements,
// without their attributes and comments; entities are not expanded.

// The text of the dataset `name`, which holds one.
std::string ismrmrd_header_text(hid_t file, const char* name, uint64_t file_bytes);

// A space of the first encoding: extents along z (slices, or the second phase encoding), x (the readout) and y (the phase encoding), and
// the field of view of each in mm, 0 where the header says none.
struct IsmrmrdSpace {
  int64_t matrix[3] = {1, 0, 0};
  double field[3] = {0, 0, 0};
  // mm between places that are so many as there are of a k-space or an image; 1 where no field of view is known.
  double spacing(int axis, int64_t places) const { return field[axis] > 0 ? field[axis] / double(places) : 1; }
};
// kind: encodedSpace, that of k-space, or reconSpace, that of images. An Error for a field of view that is no length.
IsmrmrdSpace ismrmrd_space(std::string_view xml, const char* kind);

// How lines of k-space lie in the encoded space. An Error for a matrix or a trajectory that are not read.
struct IsmrmrdEncoding {
  IsmrmrdSpace space;
  int64_t d = 1, h = 0, w = 0;             // its matrix
  int64_t centre = 0, centre_plane = 0;    // the line and the plane in the middle
  bool calibrated_within = false;          // lines for calibration alone are of the same scan
};
IsmrmrdEncoding ismrmrd_encoding(std::string_view xml);

}  // namespace voxgrad
