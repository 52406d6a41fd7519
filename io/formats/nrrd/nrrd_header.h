#pragma once
#include <string>

#include "io/formats/formats.h"

namespace voxgrad {

// What the header of an NRRD file says (teem.sourceforge.net/nrrd/format.html).
struct NrrdHeader {
  VoxelLayout layout;
  Affine affine;
  LengthUnit unit = LengthUnit::millimetre;
  std::string warning = {};  // what was assumed
  std::string encoding, data_file;  // data_file: empty where the voxels follow
  int64_t line_skip = 0, byte_skip = 0;
};

// Leaves `source` behind the header, or behind "data file: LIST".
NrrdHeader parse_nrrd(ByteSource&);

}  // namespace voxgrad
