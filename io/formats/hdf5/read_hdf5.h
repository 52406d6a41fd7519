#pragma once
#include "io/image.h"

namespace voxgrad {

// HDF5 files, which builds with its library read: arrays of numbers or of complex numbers with the axes of NumPy's {H, W}, {D, H, W},
// {C, D, H, W}, as f32, and k-space of ISMRMRD files (Inati et al. 2017). ReadOptions::array is the path of an array within the file;
// without it, that is "kspace" (fastMRI), the acquisitions of the group "dataset" (ISMRMRD), or the only array of two axes or more at the
// top.
// ISMRMRD: Cartesian acquisitions of the first encoding space become {slices, coils, readout, phase encoding}, with the places of the
// centre in the middle (n / 2), repeated lines averaged and 0 where nothing was measured; each repetition, set, phase and contrast has
// slices of its own. Of k-space in three dimensions, steps of the second phase encoding are what slices are (Volume::kspace_planes). Noise,
// navigators, phase corrections and calibration lines of a scan of their own are left out.
// The field of view that the header says (fastMRI: "ismrmrd_header") over the places that there are is the spacing: of k-space that of the
// encoded space, of images beside it ("reconstruction_..") that of the reconstructed one, along slices their thickness. Without one it is 1
// mm; where slices lie in the body is not read. In files with such a header "kspace" of three axes is that of slices seen by one coil.
bool is_hdf5(const std::filesystem::path&);
VolumeHeader hdf5_header(const std::filesystem::path&, const ReadOptions&);
Volume read_hdf5(const std::filesystem::path&, const ReadOptions&);

}  // namespace voxgrad
