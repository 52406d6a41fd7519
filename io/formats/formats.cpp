#include "io/formats/formats.h"

#include <charconv>
#include <cstdlib>

namespace voxgrad {
namespace fs = std::filesystem;

// x and y change sign between LPS+ and RAS+.
Affine affine_from_lps(const LpsGeometry& g) {
  Affine a;
  for (int row = 0; row < 3; ++row) {
    const double sign = row < 2 ? -1 : 1;
    for (int c = 0; c < 3; ++c) a(row, 2 - c) = g.axis[c][row] == 0 ? 0 : sign * g.axis[c][row];
    a(row, 3) = g.origin[row] == 0 ? 0 : sign * g.origin[row];
  }
  return a;
}

LpsGeometry lps_of(const Affine& a) {
  LpsGeometry g;
  for (int row = 0; row < 3; ++row) {
    const double sign = row < 2 ? -1 : 1;
    for (int c = 0; c < 3; ++c) g.axis[c][row] = a(row, 2 - c) == 0 ? 0 : sign * a(row, 2 - c);
    g.origin[row] = a(row, 3) == 0 ? 0 : sign * a(row, 3);
  }
  return g;
}

VolumeHeader header_of(const VoxelLayout& v, const Affine& affine) {
  return {.format = v.format, .stored = name_of(v.stored), .shape = v.shape(), .dtype = v.dtype(), .affine = affine};
}

fs::path detached_file(const fs::path& header, const std::string& name) {
  const fs::path inside = fs::path(name).lexically_normal();
  check(!name.empty() && inside.is_relative() && *inside.begin() != "..", header.string(), ": names \"", name,
        "\" as its data, wanted a file beside it");
  return header.parent_path() / inside;
}

std::span<const std::byte> bytes_of(const Tensor& t) { return {t.view().as<std::byte>(), t.bytes()}; }

std::span<const std::byte> bytes_of(const Tensor& t, Stored stored, std::vector<std::byte>& scratch) {
  if (stored == stored_as(t.dtype())) return bytes_of(t);
  scratch.resize(size_t(t.count()) * size_t(size_of(stored)));
  const auto narrow = [&]<class S>(S) {
    S* to = reinterpret_cast<S*>(scratch.data());
    on_any_dtype(t.dtype(), [&]<class T>() {
      const T* from = t.view().as<T>();
      for (int64_t i = 0; i < t.count(); ++i) to[i] = S(double(from[i]));
    });
  };
  if (stored == Stored::u16) narrow(uint16_t());
  else if (stored == Stored::i8) narrow(int8_t());
  else narrow(uint32_t());
  return scratch;
}

void write_deflated(AtomicFile& file, std::span<const std::span<const std::byte>> pieces, Wrapper wrapper) {
  deflate_stream(pieces, wrapper, [&](const void* data, size_t size) { file.write(data, size); });
}

std::string exact(double v) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

}  // namespace voxgrad
