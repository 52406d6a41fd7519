// In place of the sources of this folder that need the library.
#include "io/formats/hdf5/read_hdf5.h"

namespace voxgrad {

VolumeHeader hdf5_header(const std::filesystem::path& path, const ReadOptions&) {
  fail(path.string(), ": is an HDF5 file, and this build of voxgrad has no HDF5; save its array as .npy");
}
Volume read_hdf5(const std::filesystem::path& path, const ReadOptions& o) {
  hdf5_header(path, o);
  return {};
}

}  // namespace voxgrad
