#include <algorithm>
#include <memory>
#include <vector>

#include "io/formats/hdf5/hdf5_parts.h"
#include "io/formats/hdf5/ismrmrd_header.h"

namespace voxgrad {
namespace {

constexpr const char* kHeaderBeside = "ismrmrd_header";  // fastMRI's files
constexpr size_t kLargestElement = 32;  // bytes of a number, or of a complex one

bool is_complex(hid_t type) { return H5Tget_class(type) == H5T_COMPOUND; }

Hdf5Array described(hid_t dataset) {
  Hdf5Array out = extents_of(dataset);
  check(out.axes >= 2, "its array has ", out.axes, " axes; 2 to 4 are read");
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, kDamagedHdf5);
  const H5T_class_t kind = H5Tget_class(type);
  out.complex = is_complex(type);
  const bool pair = out.complex && H5Tget_nmembers(type) == 2 && H5Tget_member_class(type, 0) == H5T_FLOAT &&
                    H5Tget_member_class(type, 1) == H5T_FLOAT;
  check(H5Tget_size(type) <= kLargestElement && (kind == H5T_FLOAT || kind == H5T_INTEGER || pair),
        "the elements of its array are neither numbers nor complex numbers");
  return out;
}

// Entry i of the first axis.
void read_entry(hid_t dataset, const Hdf5Array& a, hid_t type, int64_t i, std::vector<float>& into) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, kDamagedHdf5);
  hsize_t start[kMostHdf5Axes] = {hsize_t(i)}, count[kMostHdf5Axes];
  for (int64_t k = 0; k < a.axes; ++k) count[k] = k == 0 ? 1 : hsize_t(a.extent[k]);
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0, kDamagedHdf5);
  const Hdf5Handle memory(H5Screate_simple(int(a.axes), count, nullptr), H5Sclose, kDamagedHdf5);
  check(H5Dread(dataset, type, memory, space, H5P_DEFAULT, into.data()) >= 0, "its array is damaged");
}

// The same of fastMRI's files: slices of one coil are {slices, 1, H, W}, and voxels have a size.
Hdf5Array described_beside(hid_t file, const std::string& name, Hdf5Array a, uint64_t file_bytes) {
  if (H5Lexists(file, kHeaderBeside, H5P_DEFAULT) <= 0) return a;
  const bool kspace = name == "kspace" && a.complex;
  if (!kspace && name.rfind("reconstruction_", 0) != 0) return a;
  if (kspace && a.axes == 3) {
    a.axes = 4;
    std::copy_backward(a.extent + 1, a.extent + 3, a.extent + 4);
    a.extent[1] = 1;
  }
  const IsmrmrdSpace space = ismrmrd_space(ismrmrd_header_text(file, kHeaderBeside, file_bytes), kspace ? "encodedSpace" : "reconSpace");
  a.spacing[0] = space.spacing(0, std::max<int64_t>(1, space.matrix[0]));
  for (int k = 1; k < 3; ++k) a.spacing[k] = space.spacing(k, a.extent[a.axes - 3 + k]);
  return a;
}

void read_array(hid_t dataset, const Hdf5Array& beside, bool all, const Emit& emit) {
  const Hdf5Array a = described(dataset);
  emit(&beside, sizeof beside);
  if (!all) return;
  const Hdf5Handle pair(H5Tcreate(H5T_COMPOUND, 2 * sizeof(float)), H5Tclose, kDamagedHdf5);
  const Hdf5Handle own(H5Dget_type(dataset), H5Tclose, kDamagedHdf5);
  for (unsigned k = 0; k < 2 && a.complex; ++k) {
    const std::unique_ptr<char, herr_t (*)(void*)> member(H5Tget_member_name(own, k), H5free_memory);
    check(member && H5Tinsert(pair, member.get(), k * sizeof(float), H5T_NATIVE_FLOAT) >= 0, kDamagedHdf5);
  }
  int64_t entry = a.complex ? 2 : 1;
  for (int64_t k = 1; k < a.axes; ++k) entry *= a.extent[k];
  std::vector<float> numbers(static_cast<size_t>(entry));
  for (int64_t i = 0; i < a.extent[0]; ++i) {
    read_entry(dataset, a, a.complex ? hid_t(pair) : H5T_NATIVE_FLOAT, i, numbers);
    emit(numbers.data(), numbers.size() * sizeof(float));
  }
}

// The arrays of two axes or more at the top.
std::vector<std::string> arrays_at_top(hid_t file) {
  constexpr hsize_t kMostNames = 256;
  std::vector<std::string> out;
  H5G_info_t group;
  check(H5Gget_info(file, &group) >= 0, kDamagedHdf5);
  for (hsize_t i = 0; i < std::min(group.nlinks, kMostNames); ++i) {
    char name[256] = {};
    if (H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0) continue;
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0) continue;
    const Hdf5Handle closes(dataset, H5Dclose, kDamagedHdf5), space(H5Dget_space(dataset), H5Sclose, kDamagedHdf5);
    if (H5Sget_simple_extent_ndims(space) >= 2) out.push_back(name);
  }
  return out;
}

std::string chosen(hid_t file, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const std::vector<std::string> names = arrays_at_top(file);
  if (std::find(names.begin(), names.end(), "kspace") != names.end()) return "kspace";
  check(H5Lexists(file, "minc-2.0", H5P_DEFAULT) <= 0, "is MINC 2, which is not read; convert it with mnc2nii or mri_convert");
  check(!names.empty(), "has no array of two axes or more at its top; one below is chosen by its path (--array)");
  std::string list;
  for (const std::string& name : names) list += "\n  " + name;
  check(names.size() == 1, "has several arrays; choose one by its name (--array):", list);
  return names[0];
}

}  // namespace

void read_hdf5_array(hid_t file, const std::string& wanted, uint64_t file_bytes, bool all, const Emit& emit) {
  const std::string name = chosen(file, wanted);
  const Hdf5Handle dataset = open_array(file, name, file_bytes);
  read_array(dataset, described_beside(file, name, described(dataset), file_bytes), all, emit);
}

}  // namespace voxgrad
