#include <cstdlib>

#include "io/formats/hdf5/hdf5_parts.h"

namespace voxgrad {
namespace {

constexpr double kMostInflated = 1032;  // bytes of data per byte of a deflated file, at most

// How the voxels lie in the file: `most` is what can come of its bytes.
void check_storage(hid_t dataset, double most) {
  const Hdf5Handle stored(H5Dget_create_plist(dataset), H5Pclose, kDamagedHdf5), type(H5Dget_type(dataset), H5Tclose, kDamagedHdf5);
  const H5D_layout_t layout = H5Pget_layout(stored);
  check(layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED, "its array lies in other files");
  check(H5Pget_external_count(stored) == 0, "its array lies in other files");
  if (layout != H5D_CHUNKED) return;
  hsize_t extent[kMostHdf5Axes];
  const int axes = H5Pget_chunk(stored, kMostHdf5Axes, extent);
  check(axes >= 1 && axes <= kMostHdf5Axes, kDamagedHdf5);
  double bytes = double(H5Tget_size(type));
  for (int k = 0; k < axes; ++k) bytes *= double(extent[k]);
  check(bytes <= most, "a chunk of its array is ", bytes, " bytes, more than the file can hold");
  for (int k = 0; k < H5Pget_nfilters(stored); ++k) {
    unsigned flags = 0;
    size_t none = 0;
    const H5Z_filter_t filter = H5Pget_filter2(stored, unsigned(k), &flags, &none, nullptr, 0, nullptr, nullptr);
    check(filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32,
          "its array is compressed by the filter ", int(filter), " of HDF5; none and gzip are read");
  }
}

}  // namespace

Hdf5Handle open_hdf5(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  check(H5open() >= 0 && H5PLset_loading_state(0) >= 0 && H5Lunregister(H5L_TYPE_EXTERNAL) >= 0, "cannot set up the HDF5 library");
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, kDamagedHdf5};
}

void* take_within(size_t bytes, void* left) {
  size_t& most = *static_cast<size_t*>(left);
  if (bytes > most) return nullptr;
  most -= bytes;
  return std::malloc(bytes);
}
void give_back(void* memory, void*) { std::free(memory); }

Hdf5Array extents_of(hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, kDamagedHdf5);
  Hdf5Array out{.axes = H5Sget_simple_extent_ndims(space)};
  check(out.axes >= 0 && out.axes <= kMostHdf5Axes, "its array has ", out.axes, " axes");
  hsize_t extent[kMostHdf5Axes];
  check(H5Sget_simple_extent_dims(space, extent, nullptr) == out.axes, kDamagedHdf5);
  for (int64_t k = 0; k < out.axes; ++k) {
    check(extent[k] >= 1 && extent[k] <= hsize_t(INT32_MAX), "an extent of its array is ", extent[k]);
    out.extent[k] = int64_t(extent[k]);
  }
  return out;
}

Hdf5Handle open_array(hid_t file, const std::string& name, uint64_t file_bytes) {
  Hdf5Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, ("has no array \"" + name + "\"").c_str());
  const double most = kMostInflated * double(file_bytes);
  check_storage(dataset, most);
  const Hdf5Array a = extents_of(dataset);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, kDamagedHdf5);
  double bytes = double(H5Tget_size(type));
  for (int64_t k = 0; k < a.axes; ++k) bytes *= double(a.extent[k]);
  check(bytes <= most, "its array of ", bytes, " bytes is more than a file of ", file_bytes, " bytes can hold");
  return dataset;
}

}  // namespace voxgrad
