#include "io/formats/jpeg_orientation.h"

#include <algorithm>

#include "io/formats/byte_source.h"

namespace voxgrad {
namespace {

constexpr unsigned kOrientationTag = 0x0112, kShort = 3;

// Numbers of a segment, of which no byte is read that it does not have: 0 then.
struct Segment {
  std::vector<unsigned char> bytes;
  bool little = false;
  unsigned number(size_t at, size_t size) const {
    unsigned n = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t from = at + (little ? size - 1 - i : i);
      n = n << 8 | (from < bytes.size() ? bytes[from] : 0u);
    }
    return n;
  }
};

// 1 to 8, or 0: "Exif", two zeros, and a TIFF file whose first directory may have the tag.
unsigned orientation_in(Segment s) {
  constexpr size_t kTiff = 6;
  if (s.bytes.size() < kTiff + 8 || !std::equal(s.bytes.begin(), s.bytes.begin() + kTiff, "Exif\0")) return 0;
  s.little = s.bytes[kTiff] == 'I';
  const size_t directory = kTiff + s.number(kTiff + 4, 4);
  if (s.number(kTiff + 2, 2) != 42 || directory >= s.bytes.size()) return 0;
  const unsigned entries = s.number(directory, 2);
  for (size_t at = directory + 2; at < std::min(s.bytes.size(), directory + 2 + size_t(entries) * 12); at += 12)
    if (s.number(at, 2) == kOrientationTag && s.number(at + 2, 2) == kShort) return s.number(at + 8, 2);
  return 0;
}

// Of the segments before the pixels the first that says it.
unsigned stored_orientation(ByteSource& file) {
  unsigned char marker[4];
  file.read(marker, 2);
  if (marker[0] != 0xff || marker[1] != 0xd8) return 0;
  while (file.at_most() >= 4) {
    file.read(marker, 4);
    const unsigned kind = marker[1], length = unsigned(marker[2]) << 8 | marker[3];
    constexpr unsigned kPixels = 0xda, kEnd = 0xd9, kApp1 = 0xe1;
    if (marker[0] != 0xff || kind == kPixels || kind == kEnd || length < 2 || length - 2 > file.at_most()) return 0;
    if (kind == kApp1) {
      Segment s{.bytes = std::vector<unsigned char>(length - 2)};
      file.read(s.bytes.data(), s.bytes.size());
      if (const unsigned o = orientation_in(std::move(s)); o >= 1 && o <= 8) return o;
    } else {
      file.skip(length - 2);
    }
  }
  return 0;
}

}  // namespace

Orientation jpeg_orientation(const std::filesystem::path& path) {
  ByteSource file(path, ByteSource::Coding::plain);
  const unsigned o = file.file_size() < 4 ? 0 : stored_orientation(file);
  Orientation out;
  if (o >= 5) out.axis = {0, 2, 1};
  // Of the picture's rows, and of its columns.
  out.flip = {false, o == 3 || o == 4 || o == 7 || o == 8, o == 2 || o == 3 || o == 6 || o == 7};
  return out;
}

}  // namespace voxgrad
