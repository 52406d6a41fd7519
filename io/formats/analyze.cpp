// Analyze 7.5 (.hdr and .img without NIfTI's signature), as SPM2 and nibabel take it: rows run from right to left, the voxel that the
// header calls its origin lies at 0, a scale other than 0 multiplies the voxels. The file does not say left from right. SPM's NAME.mat
// beside it, MATLAB's format 4, does: a matrix "mat" from indices that begin with 1, or "M", which is the same with x turned.
#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "io/formats/nifti_format.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr int kHeaderSize = 348, kMostAxes = 7;

struct OpenedAnalyze {
  VoxelLayout layout;
  Affine affine;
  uint64_t offset = 0;
  bool placed = false;  // by SPM's matrix
};

template <class T>
T field(const std::vector<std::byte>& bytes, size_t at, bool swapped) {
  std::array<std::byte, sizeof(T)> raw;
  std::copy_n(bytes.begin() + std::ptrdiff_t(at), sizeof(T), raw.begin());
  if (swapped) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<T>(raw);
}

// Whether the bytes are swapped; none where they are no such header.
std::optional<bool> byte_order(const std::vector<std::byte>& bytes) {
  if (bytes.size() < size_t(kHeaderSize)) return {};
  for (const bool swapped : {false, true})
    if (field<int32_t>(bytes, 0, swapped) == kHeaderSize && field<int16_t>(bytes, 40, swapped) >= 1 &&
        field<int16_t>(bytes, 40, swapped) <= kMostAxes && bytes[344] != std::byte('n'))
      return swapped;
  return {};
}

std::vector<std::byte> head_of(ByteSource& source) {
  std::vector<std::byte> bytes(kHeaderSize);
  bytes.resize(size_t(source.read_some(bytes.data(), bytes.size())));
  return bytes;
}

// Of (d, h, w), from the file beside a header; none where there is none.
std::optional<Affine> spm_matrix(const fs::path& header) {
  fs::path path = header;
  if (path.extension() == ".gz") path.replace_extension();
  path.replace_extension(".mat");
  if (!fs::is_regular_file(path)) return {};
  ByteSource source(path, ByteSource::Coding::plain);
  std::optional<Affine> out;
  for (int32_t head[5]; source.at_most() >= sizeof head;) {  // type, rows, columns, is complex, length of the name
    source.read(head, sizeof head);
    const bool swapped = head[0] / 1000 != 0;
    if (swapped)
      for (int32_t& v : head) v = int32_t(__builtin_bswap32(uint32_t(v)));
    check((head[0] == 0 || head[0] == 1000) && head[1] == 4 && head[2] == 4 && head[3] == 0 && head[4] >= 2 && head[4] <= 64, path.string(),
          ": says where ", header.filename().string(), " lies, but is no matrix of 4 x 4 in MATLAB's format 4; write it by save -v4");
    std::string name(size_t(head[4]), '\0');
    source.read(name.data(), name.size());
    name.pop_back();
    uint64_t bits[16];
    source.read(bits, sizeof bits);
    double m[3][4];  // of (i, j, k, 1), by columns in the file
    for (size_t r = 0; r < 3; ++r)
      for (size_t c = 0; c < 4; ++c) m[r][c] = std::bit_cast<double>(swapped ? __builtin_bswap64(bits[4 * c + r]) : bits[4 * c + r]);
    if (name != "mat" && (name != "M" || out)) continue;
    Affine a;
    for (size_t r = 0; r < 3; ++r) {
      const double sign = name == "M" && r == 0 ? -1 : 1;
      for (size_t c = 0; c < 3; ++c) a.m[r][2 - c] = sign * m[r][c];
      a.m[r][3] = sign * (m[r][0] + m[r][1] + m[r][2] + m[r][3]);
    }
    out = a;
  }
  return out;
}

OpenedAnalyze open_analyze(ByteSource& source) {
  const std::vector<std::byte> b = head_of(source);
  const auto swapped = byte_order(b);
  check(swapped.has_value(), source.name(), ": its first bytes are no Analyze 7.5 header");
  const auto at = [&]<class T>(T, size_t offset) { return field<T>(b, offset, *swapped); };
  NiftiHeader h{.swapped = *swapped};
  for (size_t i = 0; i < 8; ++i) h.dim[i] = at(int16_t(), 40 + 2 * i), h.pixdim[i] = at(float(), 76 + 4 * i);
  h.datatype = at(int16_t(), 70);
  h.slope = at(float(), 112);
  OpenedAnalyze o{.layout = layout_of(h, source.name())};
  o.layout.format = "Analyze 7.5";
  const double offset = at(float(), 108);
  check(offset >= 0 && offset < 0x1p53 && offset == std::floor(offset), source.name(), ": the header says that voxels start at byte ",
        offset);
  o.offset = uint64_t(offset);
  // Indices from 1; all 0, or far outside, means that there is none: the centre.
  double origin[3];
  bool given = false;
  for (size_t a = 0; a < 3; ++a) {
    origin[a] = at(int16_t(), 253 + 2 * a);
    given = given || origin[a] != 0;
  }
  for (size_t a = 0; a < 3; ++a) {
    const double extent = double(o.layout.size[2 - a]);
    given = given && origin[a] > -extent && origin[a] < 2 * extent;
  }
  for (size_t a = 0; a < 3; ++a) {
    const double size = std::isfinite(h.pixdim[a + 1]) && h.pixdim[a + 1] != 0 ? std::abs(h.pixdim[a + 1]) : 1;
    const double step = a == 0 ? -size : size;
    for (size_t r = 0; r < 3; ++r) o.affine.m[r][2 - a] = r == a ? step : 0;
    o.affine.m[a][3] = -step * (given ? origin[a] - 1 : double(o.layout.size[2 - a] - 1) / 2);
  }
  if (const auto matrix = spm_matrix(fs::path(source.name()))) o.affine = *matrix, o.placed = true;
  check(o.affine.is_valid(), source.name(), ": its voxel sizes are not possible");
  return o;
}
}  // namespace

bool is_analyze(const fs::path& path) {
  const std::string ending = volume_extension(path);
  if (!ending.starts_with(".hdr") && !ending.starts_with(".img")) return false;
  try {
    ByteSource source(pair_file(path, ".hdr"));
    return byte_order(head_of(source)).has_value();
  } catch (const Error&) { return false; }
}

VolumeHeader analyze_header(const fs::path& path) {
  ByteSource source(pair_file(path, ".hdr"));
  const OpenedAnalyze o = open_analyze(source);
  VolumeHeader out = header_of(o.layout, o.affine);
  if (!o.placed) out.warning = "Analyze 7.5 does not say left from right; rows are taken to run from right to left, as SPM and nibabel do";
  return out;
}

Volume read_analyze(const fs::path& path) {
  ByteSource source(pair_file(path, ".hdr"));
  const OpenedAnalyze o = open_analyze(source);
  ByteSource voxels(voxels_of_pair(pair_file(path, ".hdr")));
  voxels.expect(o.offset, "an offset of the voxels");
  voxels.skip(o.offset);
  return {read_voxels(voxels, o.layout), o.affine};
}

}  // namespace voxgrad
