#include "io/formats/numpy/image_stack.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/formats/numpy/npy.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out;
  for (int64_t n : shape) out += (out.empty() ? "" : " x ") + std::to_string(n);
  return out;
}

}  // namespace

ImageStack::ImageStack(const fs::path& archive, const std::string& array) : name_(archive.string() + ": " + array) {
  const NpyInArchive found = open_npy_in_archive(archive, array);
  const Npy& a = found.array;
  shape_ = a.shape;
  check(!a.complex, name_, ": is an array of complex numbers");
  check(!a.fortran && (shape_.size() == 3 || shape_.size() == 4) && shape_[0] > 0, name_, ": is an array of ", shape_text(shape_),
        a.fortran ? " in Fortran's order" : "", "; wanted are images {N, H, W}, {N, H, W, 3} or {N, D, H, W}");
  begin_ = a.begin;
  stored_ = int(a.layout.stored), swapped_ = a.layout.swapped;
  bytes_ = zip_bytes(archive, found.entry);
  each_ = (bytes_.size() - begin_) / size_t(count());
  image(0);  // so that what it is not is said at once
}

bool ImageStack::bytes() const { return Stored(stored_) == Stored::u8; }

Volume ImageStack::image(int64_t i) const {
  check(i >= 0 && i < count(), name_, ": has no image ", i, " but ", count());
  VoxelLayout v{.format = "NumPy", .stored = Stored(stored_), .swapped = swapped_};
  const size_t first = flat() ? 1 : 0;  // axes that an image of two lacks
  for (size_t axis = first; axis < 3; ++axis) v.size[axis] = shape_[1 + axis - first];
  if (colour()) v.channels = 3;
  v.validate(name_);
  check(v.bytes() == each_, name_, ": an image has ", each_, " bytes, its shape says ", v.bytes());
  return {convert_voxels(std::span(bytes_).subspan(begin_ + size_t(i) * each_, each_), v, name_), Affine()};
}

std::vector<std::string> array_names(const fs::path& path) {
  std::vector<std::string> out;
  if (!fs::is_regular_file(path) || !is_zip(path)) return out;
  for (const ZipEntry& e : zip_entries(path))
    if (e.name.ends_with(".npy")) out.push_back(e.name.substr(0, e.name.size() - 4));
  return out;
}

NumberTable read_number_table(const fs::path& archive, const std::string& array) {
  const std::string who = archive.string() + ": " + array;
  const NpyInArchive found = open_npy_in_archive(archive, array);
  const auto& shape = found.array.shape;
  check(!found.array.complex && !found.array.fortran && (shape.size() == 1 || shape.size() == 2), who, ": is an array of ",
        shape_text(shape), ", wanted are numbers {N} or {N, K}");
  NumberTable out{.rows = shape[0], .columns = shape.size() == 2 ? shape[1] : 1};
  VoxelLayout v{.format = "NumPy", .size = {1, out.rows, out.columns}};
  v.stored = found.array.layout.stored, v.swapped = found.array.layout.swapped;
  v.validate(who);
  const auto bytes = zip_bytes(archive, found.entry);
  for (double value : convert_voxels(std::span(bytes).subspan(found.array.begin), v, who).values()) {
    check(std::floor(value) == value && std::fabs(value) < 0x1p53, who, ": holds ", value, ", wanted are whole numbers");
    out.values.push_back(int64_t(value));
  }
  return out;
}

}  // namespace voxgrad
