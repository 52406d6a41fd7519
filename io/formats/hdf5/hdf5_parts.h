#pragma once
// What the sources of this folder share, in builds with the library. All of it runs in a child process (io/formats/isolated.h); errors say
// what is wrong and not with which file.
#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/error.h"
#include "io/formats/isolated.h"

namespace voxgrad {

constexpr int kMostHdf5Axes = 8;

// What the child says of an array, before its numbers: f32 in the order of C, both parts of complex ones side by side.
struct Hdf5Array {
  int64_t axes = 0, extent[kMostHdf5Axes] = {}, complex = 0, planes = 1;  // Volume::kspace_planes
  double spacing[3] = {1, 1, 1};                                           // mm along slices (or planes), rows and columns
};

// A handle of the library, closed at the end of a scope.
class Hdf5Handle {
 public:
  Hdf5Handle(hid_t id, herr_t (*close)(hid_t), const char* error) : id_(id), close_(close) { check(id >= 0, error); }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(Hdf5Handle&& o) noexcept : id_(std::exchange(o.id_, -1)), close_(o.close_) {}
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

inline constexpr const char* kDamagedHdf5 = "is damaged, or no HDF5 file";

// Opens a file so that nothing it names is followed beyond it or loaded: no filters but those within the library, no links to other files.
Hdf5Handle open_hdf5(const std::string& path);
// The array of this path, held against the size of the file: its voxels lie in the file itself, as they are or deflated.
Hdf5Handle open_array(hid_t file, const std::string& name, uint64_t file_bytes);
// The extents of an array, at most eight of them, each at least 1; none of what is no array.
Hdf5Array extents_of(hid_t dataset);

// For H5Pset_vlen_mem_manager: what numbers or texts of varying length take is no more than the size_t `left` says, which becomes less.
void* take_within(size_t bytes, void* left);
void give_back(void* memory, void*);

// Emits the array `wanted`, or what is read where nothing is; or its extents alone.
void read_hdf5_array(hid_t file, const std::string& wanted, uint64_t file_bytes, bool all, const Emit&);

bool is_ismrmrd(hid_t file);
// Emits the k-space of the group "dataset", or what it is alone.
void read_ismrmrd(hid_t file, uint64_t file_bytes, bool all, const Emit&);

}  // namespace voxgrad
