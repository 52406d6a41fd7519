// PNG files (www.w3.org/TR/png-3): grey, colours, palettes, with or without alpha, 1 to 16 bits, interlaced or not. Read here and not by
// ITK, which makes four channels of a palette with a transparent entry and two of greys with a transparent value.
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "io/formats/foreign.h"
#include "io/formats/gzip.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";

struct Png {
  uint32_t width = 0, height = 0;
  int bits = 8, colour = 0;  // 0: grey, 2: RGB, 3: palette, 4: grey and alpha, 6: RGBA
  bool interlaced = false, transparent = false;
  std::vector<unsigned char> palette, packed;
  int samples() const { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }
  uint64_t row_bytes(uint64_t columns) const { return (columns * uint64_t(samples()) * uint64_t(bits) + 7) / 8; }
};

// A pass of the pixels: all of them, or those of one of Adam7's seven, from (x, y) on in steps of (dx, dy).
struct Pass {
  uint32_t x, y, dx, dy;
  uint64_t columns(const Png& p) const { return p.width > x ? (p.width - x - 1) / dx + 1 : 0; }
  uint64_t rows(const Png& p) const { return p.height > y ? (p.height - y - 1) / dy + 1 : 0; }
};
std::vector<Pass> passes_of(const Png& p) {
  if (!p.interlaced) return {{0, 0, 1, 1}};
  return {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
}

uint64_t filtered_bytes(const Png& p) {
  uint64_t out = 0;
  for (const Pass& pass : passes_of(p))
    if (pass.columns(p) > 0) out += pass.rows(p) * (1 + p.row_bytes(pass.columns(p)));
  return out;
}

uint32_t big(const unsigned char* b) { return uint32_t(b[0]) << 24 | uint32_t(b[1]) << 16 | uint32_t(b[2]) << 8 | b[3]; }

void read_head(Png& p, const std::vector<unsigned char>& b, const std::string& who) {
  check(b.size() == 13, who, ": its PNG header has ", b.size(), " bytes, wanted 13");
  p.width = big(&b[0]), p.height = big(&b[4]), p.bits = b[8], p.colour = b[9], p.interlaced = b[12] == 1;
  const bool deep = p.bits == 8 || p.bits == 16, shallow = p.bits == 1 || p.bits == 2 || p.bits == 4;
  const bool possible = p.colour == 0                                     ? deep || shallow
                        : p.colour == 3                                   ? shallow || p.bits == 8
                        : p.colour == 2 || p.colour == 4 || p.colour == 6 ? deep
                                                                          : false;
  check(possible && b[10] == 0 && b[11] == 0 && b[12] <= 1, who, ": its PNG header announces ", p.bits, " bits of colour type ", p.colour,
        ", which do not go together");
  check(p.width >= 1 && p.height >= 1 && p.width < 1u << 31 && p.height < 1u << 31, who, ": the header announces ", p.width, " x ",
        p.height, " pixels");
}

Png open_png(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const std::string& who = source.name();
  Png p;
  char magic[8] = {};
  check(source.read_some(magic, 8) == 8 && std::string_view(magic, 8) == kSignature, who, ": its first bytes are no PNG signature");
  for (bool first = true, ended = false; !ended; first = false) {
    unsigned char head[8], sum[4];
    source.read(head, 8);
    const uint32_t length = big(head);
    source.expect(uint64_t(length) + 4, "a part");
    std::vector<unsigned char> data(length);
    source.read(data.data(), length);
    source.read(sum, 4);
    const std::string_view name(reinterpret_cast<char*>(head) + 4, 4);
    const uLong named = crc32(0, head + 4, 4);  // of no further bytes zlib makes 0
    check((length > 0 ? crc32(named, data.data(), uInt(length)) : named) == big(sum), who, ": its part ", name, " is damaged");
    check(first == (name == "IHDR"), who, ": its first part is ", name, ", wanted IHDR, once");
    if (first) read_head(p, data, who);
    else if (name == "PLTE") p.palette = std::move(data);
    else if (name == "tRNS") p.transparent = true;
    else if (name == "IDAT") p.packed.insert(p.packed.end(), data.begin(), data.end());
    ended = name == "IEND";
  }
  check(p.colour != 3 || (!p.palette.empty() && p.palette.size() % 3 == 0), who, ": has no palette");
  check(filtered_bytes(p) / kMostInflation <= p.packed.size(), who, ": the header announces ", p.width, " x ", p.height,
        " pixels, which its ", p.packed.size(), " bytes cannot hold");
  return p;
}

// Bytes of a row from their differences to those on the left, above and both (section 9).
void unfilter(int kind, unsigned char* row, const unsigned char* above, uint64_t bytes, uint64_t step, const std::string& who) {
  check(kind <= 4, who, ": a row of it has the filter ", kind);
  for (uint64_t i = 0; i < bytes; ++i) {
    const int a = i >= step ? row[i - step] : 0, b = above ? above[i] : 0, c = above && i >= step ? above[i - step] : 0;
    const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
    const int nearest = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    row[i] = static_cast<unsigned char>(row[i] + (kind == 1 ? a : kind == 2 ? b : kind == 3 ? (a + b) / 2 : kind == 4 ? nearest : 0));
  }
}

// One byte for a sample of up to 8 bits, two in the machine's order for one of 16.
std::vector<std::byte> samples_of(const Png& p, const std::string& who) {
  std::vector<unsigned char> rows(filtered_bytes(p));
  uLongf length = uLongf(rows.size());
  const int status = uncompress(rows.data(), &length, p.packed.data(), uLong(p.packed.size()));
  check(status == Z_OK && length == rows.size(), who, ": its pixels are cut off or damaged");
  const auto samples = uint64_t(p.samples()), size = uint64_t(p.bits == 16 ? 2 : 1);
  const auto step = std::max<uint64_t>(1, samples * uint64_t(p.bits) / 8);
  std::vector<std::byte> out(uint64_t(p.width) * p.height * samples * size);
  unsigned char* at = rows.data();
  for (const Pass& pass : passes_of(p)) {
    const uint64_t columns = pass.columns(p), bytes = p.row_bytes(columns);
    const unsigned char* above = nullptr;
    for (uint64_t r = 0; columns > 0 && r < pass.rows(p); ++r, at += 1 + bytes) {
      unfilter(*at, at + 1, above, bytes, step, who);
      above = at + 1;
      for (uint64_t i = 0; i < columns * samples; ++i) {
        const uint64_t pixel = (pass.y + r * pass.dy) * p.width + pass.x + i / samples * pass.dx, to = pixel * samples + i % samples;
        if (p.bits == 16) {
          out[2 * to] = std::byte(above[2 * i + 1]), out[2 * to + 1] = std::byte(above[2 * i]);
        } else {
          const uint64_t bit = i * uint64_t(p.bits);
          out[to] = std::byte(above[bit / 8] >> (8 - p.bits - int(bit % 8)) & ((1 << p.bits) - 1));
        }
      }
    }
  }
  return out;
}

// Greys in order: then indices are what they stand for.
bool is_grey_ramp(const Png& p) {
  for (size_t i = 0; i < p.palette.size(); ++i)
    if (p.palette[i] != i / 3) return false;
  return true;
}
}  // namespace

Decoded decode_png(const fs::path& path, Part part, bool indices) {
  const Png p = open_png(path);
  const std::string who = path.string();
  const bool colours = p.colour == 3 && !indices && !is_grey_ramp(p);
  Decoded d{.layout = {.format = "PNG", .size = {1, p.height, p.width}, .channels = colours ? 3 : p.samples()}};
  d.layout.stored = p.bits == 16 ? Stored::u16 : Stored::u8;
  d.layout.validate(who);
  if (p.transparent && !indices) d.warning = "some of its colours are transparent; they are read as the colours that they are";
  if (part == Part::header) return d;
  d.pixels = samples_of(p, who);
  if (p.colour == 0 && p.bits < 8 && !indices)
    for (std::byte& v : d.pixels) v = std::byte(int(v) * 255 / ((1 << p.bits) - 1));
  if (!colours) return d;
  std::vector<std::byte> out(d.pixels.size() * 3);
  for (size_t i = 0; i < d.pixels.size(); ++i) {
    const auto index = size_t(d.pixels[i]);
    check(index < p.palette.size() / 3, who, ": has the colour ", index, " of a palette of ", p.palette.size() / 3);
    std::memcpy(&out[3 * i], &p.palette[3 * index], 3);
  }
  d.pixels = std::move(out);
  return d;
}

}  // namespace voxgrad
