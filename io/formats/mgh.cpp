// FreeSurfer's volumes (surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat): .mgh, and .mgz, which is the same in gzip.
#include <array>
#include <bit>

#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr size_t kHeader = 284;  // bytes before the voxels; all numbers are big-endian
constexpr int kVersion = 1;

struct MghType {
  int32_t code;
  Stored stored;
};
constexpr MghType kMghTypes[] = {{0, Stored::u8}, {1, Stored::i32}, {3, Stored::f32}, {4, Stored::i16}, {10, Stored::u16}};

template <class T>
T big_endian(const unsigned char* at) {
  uint32_t bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i) bits = bits << 8 | at[i];
  if constexpr (sizeof(T) == 2) return std::bit_cast<T>(uint16_t(bits));
  else return std::bit_cast<T>(bits);
}

template <class T>
void put_big(std::vector<std::byte>& bytes, size_t at, T value) {
  const auto bits = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  for (size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = bits[sizeof(T) - 1 - i];
}

struct MghHeader {
  VoxelLayout layout;
  Affine affine;
};

// Columns of the matrix: directions of i, j, k times their step. The point given is that of index (width, height, depth) / 2.
Affine affine_of(const unsigned char* b, const int64_t (&size)[3]) {
  double step[3] = {1, 1, 1}, direction[3][3] = {{-1, 0, 0}, {0, 0, 1}, {0, -1, 0}}, centre[3] = {};  // coronal, if it says nothing
  if (big_endian<int16_t>(b + 28) != 0)
    for (size_t a = 0; a < 3; ++a) {
      step[a] = big_endian<float>(b + 30 + 4 * a), centre[a] = big_endian<float>(b + 78 + 4 * a);
      for (size_t r = 0; r < 3; ++r) direction[a][r] = big_endian<float>(b + 42 + 12 * a + 4 * r);
    }
  Affine out;
  for (size_t r = 0; r < 3; ++r) {
    double start = centre[r];
    for (size_t a = 0; a < 3; ++a) {
      out.m[r][2 - a] = direction[a][r] * step[a];
      start -= out.m[r][2 - a] * double(size[2 - a]) / 2;
    }
    out.m[r][3] = start;
  }
  return out;
}

MghHeader parse_mgh(ByteSource& source) {
  const std::string& who = source.name();
  unsigned char b[kHeader];
  source.read(b, kHeader);
  check(big_endian<int32_t>(b) == kVersion, who, ": its first bytes are no header of an MGH file of version 1");
  MghHeader h{.layout = {.format = "MGH"}};
  VoxelLayout& v = h.layout;
  for (size_t a = 0; a < 3; ++a) v.size[2 - a] = big_endian<int32_t>(b + 4 + 4 * a);
  v.channels = big_endian<int32_t>(b + 16);
  const auto code = big_endian<int32_t>(b + 20);
  const MghType* known = nullptr;
  for (auto& type : kMghTypes)
    if (type.code == code) known = &type;
  check(known, who, ": its MGH data type ", code, " is not one that is read (0: u8, 1: i32, 3: f32, 4: i16, 10: u16)");
  v.stored = known->stored;
  v.planar = v.channels > 1, v.swapped = true;
  v.validate(who);
  h.affine = affine_of(b, v.size);
  check(h.affine.is_valid(), who, ": its spacing and directions are not finite or not independent");
  return h;
}
}  // namespace

bool is_mgh(const fs::path& path) {
  try {
    ByteSource source(path);
    parse_mgh(source);
    return true;
  } catch (const Error&) { return false; }
}

VolumeHeader mgh_header(const fs::path& path) {
  ByteSource source(path);
  const MghHeader h = parse_mgh(source);
  return header_of(h.layout, h.affine);
}

Volume read_mgh(const fs::path& path) {
  ByteSource source(path);
  const MghHeader h = parse_mgh(source);
  source.expect(h.layout.bytes(), "voxels");  // what follows them, of a scan's parameters, is passed over
  return {read_voxels(source, h.layout), h.affine};
}

void write_mgh(const fs::path& path, const Volume& v, Stored wanted) {
  const Shape& s = v.data.shape();
  const Stored stored = wanted == Stored::u16 ? wanted : stored_as(v.data.dtype());
  std::vector<std::byte> head(kHeader);
  put_big(head, 0, int32_t(kVersion));
  for (int a = 0; a < 3; ++a) put_big(head, 4 + 4 * size_t(a), int32_t(s[2 - a]));
  put_big(head, 16, int32_t(s[3]));
  const MghType* known = nullptr;
  for (auto& type : kMghTypes)
    if (type.stored == stored) known = &type;
  check(known, "cannot write ", path.string(), ": ", v.data, ", wanted u8, i16, i32 or f32");
  put_big(head, 20, known->code);
  put_big(head, 28, int16_t(1));
  const Vec3 spacing = v.affine.spacing(), centre = v.affine.apply({double(s[0]) / 2, double(s[1]) / 2, double(s[2]) / 2});
  for (size_t a = 0; a < 3; ++a) {
    put_big(head, 30 + 4 * a, float(spacing[2 - a])), put_big(head, 78 + 4 * a, float(centre[a]));
    for (size_t r = 0; r < 3; ++r) put_big(head, 42 + 12 * a + 4 * r, float(v.affine.m[r][2 - a] / spacing[2 - a]));
  }
  const Tensor data = s[3] > 1 ? planar(v.data) : v.data;
  std::vector<std::byte> scratch;
  const auto voxels = bytes_of(data, stored, scratch);
  const size_t width = size_t(size_of(stored));
  std::vector<std::byte> swapped(voxels.size());
  for (size_t i = 0; i < voxels.size(); i += width)
    for (size_t k = 0; k < width; ++k) swapped[i + k] = voxels[i + width - 1 - k];
  AtomicFile file(path);
  const std::span<const std::byte> pieces[] = {head, swapped};
  if (path.extension() == ".mgh")
    for (auto& piece : pieces) file.write(piece.data(), piece.size());
  else write_deflated(file, pieces, Wrapper::gzip);
  file.commit();
}

}  // namespace voxgrad
