// NIfTI files. Read here rather than by ITK, which refuses sheared affines, keeps others only as spacing and cosines, and takes sizes
// from the header on trust.
#include <algorithm>
#include <limits>

#include "io/formats/nifti_format.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr size_t kMostHeader = 540;

std::vector<std::byte> first_bytes(ByteSource& source) {
  std::vector<std::byte> bytes(kMostHeader);
  bytes.resize(size_t(source.read_some(bytes.data(), bytes.size())));
  return bytes;
}

fs::path header_path(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".img") || name.ends_with(".img.gz") ? pair_file(path, ".hdr") : path;
}

struct Opened {
  NiftiHeader header;
  VoxelLayout layout;
  Affine affine;
};
Opened open_header(ByteSource& source) {
  Opened o{.header = parse_nifti(first_bytes(source), source.name())};
  o.layout = layout_of(o.header, source.name());
  o.affine = affine_of(o.header);
  return o;
}
}  // namespace

fs::path pair_file(const fs::path& path, const std::string& ending) {
  fs::path stem = path;
  if (stem.extension() == ".gz") stem.replace_extension();
  stem.replace_extension(ending);
  if (fs::path packed = stem.string() + ".gz"; !fs::exists(stem) && fs::exists(packed)) return packed;
  return stem;
}

fs::path voxels_of_pair(const fs::path& header) {
  const fs::path voxels = pair_file(header, ".img");
  check(fs::exists(voxels), header.string(), ": its voxels should lie in ", voxels.filename().string(), " beside it, which is not there");
  return voxels;
}

bool is_nifti(const fs::path& path) {
  std::vector<std::byte> bytes;
  try {
    ByteSource source(header_path(path));
    bytes = first_bytes(source);
    parse_nifti(bytes, "");
    return true;
  } catch (const Error&) { return false; }
}

VolumeHeader nifti_header(const fs::path& path) {
  ByteSource source(header_path(path));
  const Opened o = open_header(source);
  VolumeHeader out = header_of(o.layout, o.affine);
  out.unit = unit_of(o.header);
  return out;
}

Volume read_nifti(const fs::path& path) {
  const fs::path header = header_path(path);
  ByteSource first(header);
  const Opened o = open_header(first);
  const auto voxels = [&](ByteSource& source) {
    const auto offset = uint64_t(o.header.voxel_offset);
    source.seek(0, source.is_compressed());
    source.expect(offset, "an offset of the voxels");
    source.skip(offset);
    return Volume{read_voxels(source, o.layout), o.affine, unit_of(o.header)};
  };
  if (o.header.single_file) return voxels(first);
  ByteSource second(voxels_of_pair(header));
  return voxels(second);
}

void write_nifti(const fs::path& path, const Volume& v, Stored stored) {
  const Shape& s = v.data.shape();
  NiftiHeader h;
  const int64_t extents[8] = {s[3] > 1 ? 4 : 3, s[2], s[1], s[0], s[3], 1, 1, 1};
  std::copy(extents, extents + 8, h.dim);
  const bool wide = std::any_of(extents, extents + 8, [](int64_t e) { return e > std::numeric_limits<int16_t>::max(); });
  h.version = wide ? 2 : 1;
  switch (stored) {
    case Stored::u8: h.datatype = 2; break;
    case Stored::i16: h.datatype = 4; break;
    case Stored::i32: h.datatype = 8; break;
    case Stored::i8: h.datatype = 256; break;
    case Stored::u16: h.datatype = 512; break;
    case Stored::u32: h.datatype = 768; break;
    case Stored::f64: h.datatype = 64; break;
    default: h.datatype = 16;
  }
  std::fill(h.pixdim, h.pixdim + 8, 1.0);
  set_affine(h, v.affine, v.unit);
  const std::vector<std::byte> header = serialize_nifti(h);
  const Tensor data = s[3] > 1 ? planar(v.data) : v.data;
  AtomicFile file(path);
  std::vector<std::byte> scratch;
  const std::span<const std::byte> pieces[] = {header, bytes_of(data, stored, scratch)};
  if (path.extension() == ".gz") {
    write_deflated(file, pieces, Wrapper::gzip);
  } else {
    for (auto& piece : pieces) file.write(piece.data(), piece.size());
  }
  file.commit();
}

}  // namespace voxgrad
