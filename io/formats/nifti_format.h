#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "io/formats/formats.h"

namespace voxgrad {

// What a NIfTI-1 or NIfTI-2 header says (nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h, nifti2.h).
struct NiftiHeader {
  int version = 1;
  bool swapped = false;     // written on a machine of the other byte order
  bool single_file = true;  // header and voxels in one file
  int64_t dim[8] = {};      // dim[0]: axes; dim[1..]: i, j, k, then the others
  int datatype = 0, intent = 0;
  double pixdim[8] = {};
  double voxel_offset = 0;  // bytes
  double slope = 0, intercept = 0;
  int units = 0;
  int qform_code = 0, sform_code = 0;
  double quatern[3] = {}, qoffset[3] = {};
  double srow[3][4] = {};
};

// The first 540 bytes of a file, or the 348 that there are. Fails, naming `who`, where they are no NIfTI header.
NiftiHeader parse_nifti(const std::vector<std::byte>& bytes, const std::string& who);
// With the four bytes after it that say: no extensions.
std::vector<std::byte> serialize_nifti(const NiftiHeader&);

VoxelLayout layout_of(const NiftiHeader&, const std::string& who);
// The matrix of (i, j, k, 1) in file units: sform, else qform, else, as nibabel does, voxel sizes alone with x running to the left and the
// world's origin in the centre. A form that is not finite or not invertible counts as absent. World units are converted to mm.
Affine affine_of(const NiftiHeader&);
LengthUnit unit_of(const NiftiHeader&);
// Fills sform, qform (where the axes are at right angles: a quaternion cannot say shear), pixdim and units.
void set_affine(NiftiHeader&, const Affine&, LengthUnit);

}  // namespace voxgrad
