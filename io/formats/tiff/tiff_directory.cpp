// Tags of TIFF files (TIFF 6.0, part 1; BigTIFF as libtiff has it).
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "io/formats/tiff/tiff.h"

namespace voxgrad {
namespace {
constexpr size_t kMostPages = 1 << 20;
constexpr uint64_t kMostValues = 1 << 24;

enum Tag : uint16_t {
  kSubfile = 254,
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kDescription = 270,
  kStrips = 273,
  kSamples = 277,
  kRows = 278,
  kStripLengths = 279,
  kXResolution = 282,
  kYResolution = 283,
  kPlanar = 284,
  kUnit = 296,
  kPredictor = 317,
  kColours = 320,
  kTileWidth = 322,
  kTileHeight = 323,
  kTiles = 324,
  kTileLengths = 325,
  kFormat = 339
};

class Reader {
 public:
  explicit Reader(ByteSource& source) : source_(source) {
    unsigned char head[4];
    source_.seek(0, false);
    source_.read(head, 4);
    check((head[0] == 'I' && head[1] == 'I') || (head[0] == 'M' && head[1] == 'M'), source_.name(), ": its first bytes are no TIFF header");
    big_ = head[0] == 'M';
    const int version = big_ ? head[3] : head[2];
    check(version == 42 || version == 43, source_.name(), ": its first bytes are no TIFF header");
    wide_ = version == 43;
    next_ = number(wide_ ? 8 : 4, wide_ ? 8 : 4);
  }
  bool has_page() const { return next_ != 0; }
  TiffPage page();

 private:
  const std::string& who() const { return source_.name(); }
  uint64_t number(uint64_t offset, int bytes) {
    unsigned char b[8];
    check(offset <= source_.file_size() && uint64_t(bytes) <= source_.file_size() - offset, who(), ": ends within its directory");
    source_.seek(offset, false);
    source_.read(b, uint64_t(bytes));
    uint64_t out = 0;
    for (int i = 0; i < bytes; ++i) out = out << 8 | b[big_ ? i : bytes - 1 - i];
    return out;
  }
  std::vector<uint64_t> values(uint64_t entry);

  ByteSource& source_;
  bool big_ = false, wide_ = false;
  uint64_t next_ = 0;
};

// Whole numbers; a rational is two.
std::vector<uint64_t> Reader::values(uint64_t entry) {
  const uint64_t type = number(entry + 2, 2);
  uint64_t count = number(entry + 4, wide_ ? 8 : 4);
  const int size = type == 1 || type == 2 || type == 6 || type == 7 ? 1 : type == 3 || type == 8 ? 2 : type == 16 || type == 17 ? 8 : 4;
  if (type == 5 || type == 10) count *= 2;
  check(count <= kMostValues && count * uint64_t(size) <= source_.file_size(), who(), ": a tag of its directory announces ", count,
        " values");
  const uint64_t inside = entry + (wide_ ? 12 : 8), room = wide_ ? 8 : 4;
  const uint64_t begin = count * uint64_t(size) <= room ? inside : number(inside, int(room));
  std::vector<std::byte> raw(count * uint64_t(size));
  check(begin <= source_.file_size() && raw.size() <= source_.file_size() - begin, who(), ": ends within its directory");
  source_.seek(begin, false);
  source_.read(raw.data(), raw.size());
  std::vector<uint64_t> out(count);
  for (uint64_t i = 0; i < count; ++i)
    for (int k = 0; k < size; ++k) out[i] = out[i] << 8 | uint64_t(raw[i * uint64_t(size) + uint64_t(big_ ? k : size - 1 - k)]);
  return out;
}

TiffPage Reader::page() {
  const uint64_t at = next_, entries = number(at, wide_ ? 8 : 2), first = at + (wide_ ? 8 : 2), step = wide_ ? 20 : 12;
  check(entries <= source_.file_size() / step, who(), ": its directory announces ", entries, " tags");
  TiffPage p{.big_endian = big_};
  uint64_t format = 1, rows = UINT32_MAX, unit = 2;
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = first + i * step;
    const auto tag = uint16_t(number(entry, 2));
    const auto all = [&] { return values(entry); };
    const auto one = [&] {
      const auto v = values(entry);
      check(!v.empty(), who(), ": a tag of its directory is empty");
      check(std::all_of(v.begin(), v.end(), [&](uint64_t x) { return x == v[0]; }), who(), ": its samples are not of one kind");
      return v[0];
    };
    const auto small = [&] { return int(std::min<uint64_t>(one(), INT32_MAX)); };
    switch (tag) {
      case kSubfile: p.reduced = (one() & 1) != 0; break;
      case kWidth: p.width = small(); break;
      case kHeight: p.height = small(); break;
      case kBits: p.bits = small(); break;
      case kCompression: p.compression = small(); break;
      case kPhotometric: p.photometric = small(); break;
      case kSamples: p.samples = small(); break;
      case kRows: rows = one(); break;
      case kPlanar: p.planar = one() == 2; break;
      case kPredictor: p.predictor = small(); break;
      case kFormat: format = one(); break;
      case kUnit: unit = one(); break;
      case kTileWidth: p.tile_width = small(); break;
      case kTileHeight: p.tile_height = small(); break;
      case kStrips:
      case kTiles: p.offsets = all(); break;
      case kStripLengths:
      case kTileLengths: p.lengths = all(); break;
      case kColours:
        for (uint64_t v : all()) p.colours.push_back(uint16_t(v));
        break;
      case kDescription:
        for (uint64_t v : all())
          if (v != 0) p.description += char(v);
        break;
      case kXResolution:
      case kYResolution:
        if (const auto v = all(); v.size() == 2 && v[1] != 0) p.resolution[tag - kXResolution] = double(v[0]) / double(v[1]);
        break;
      default: break;
    }
  }
  next_ = number(first + entries * step, wide_ ? 8 : 4);
  check(p.width >= 1 && p.height >= 1 && p.samples >= 1 && p.samples <= 65535, who(), ": the header announces ", p.width, " x ", p.height,
        " pixels of ", p.samples, " samples");
  const char* colours = p.photometric == 5 ? "inks (CMYK)" : p.photometric == 6 ? "YCbCr" : p.photometric == 8 ? "CIE L*a*b*" : nullptr;
  check(!colours || p.samples < 3, who(), ": its colours are ", colours ? colours : "", "; save it as RGB");
  if (p.tile_width == 0) {
    p.tile_width = p.width;
    p.tile_height = int64_t(std::min<uint64_t>(rows, uint64_t(p.height)));
  }
  check(p.tile_width >= 1 && p.tile_height >= 1, who(), ": its tiles have ", p.tile_width, " x ", p.tile_height, " pixels");
  const int at_bits = p.bits <= 8 ? 0 : std::countr_zero(unsigned(p.bits)) - 3;
  constexpr Stored kinds[3][4] = {{Stored::u8, Stored::u16, Stored::u32, Stored::u64},
                                  {Stored::i8, Stored::i16, Stored::i32, Stored::i64},
                                  {Stored::u8, Stored::f16, Stored::f32, Stored::f64}};
  const bool possible = (p.bits == 1 || p.bits == 2 || p.bits == 4 || p.bits == 8 || p.bits == 16 || p.bits == 32 || p.bits == 64) &&
                        (format == 1 || format == 4 || (format == 2 && p.bits >= 8) || (format == 3 && p.bits >= 16));
  check(possible, who(), ": its samples of ", p.bits, " bits and format ", format, " are not ones that are read");
  p.stored = kinds[format == 2 ? 1 : format == 3 ? 2 : 0][at_bits];
  if (unit == 3) p.unit_mm = 10;
  return p;
}
}  // namespace

bool tiff_is_read(const TiffPage& p) {
  return (p.compression == 1 || p.compression == 5 || p.compression == 8 || p.compression == 32946 || p.compression == 32773) &&
         (p.predictor == 1 || p.predictor == 2);
}

std::vector<TiffPage> tiff_pages(ByteSource& source) {
  Reader reader(source);
  std::vector<TiffPage> out;
  for (size_t count = 0; reader.has_page(); ++count) {
    check(count < std::min<size_t>(kMostPages, source.file_size()), source.name(), ": its directories follow one another without end");
    TiffPage p = reader.page();
    if (p.reduced) continue;
    if (!out.empty()) {
      const TiffPage& a = out[0];
      check(p.width == a.width && p.height == a.height && p.samples == a.samples && p.stored == a.stored && p.bits == a.bits, source.name(),
            ": page ", count + 1, " has ", p.width, " x ", p.height, " pixels of ", p.samples, " samples, page 1 ", a.width, " x ",
            a.height, " of ", a.samples, "; pages of one size and kind are read as slices");
    }
    out.push_back(std::move(p));
  }
  check(!out.empty(), source.name(), ": holds no picture");
  return out;
}

}  // namespace voxgrad
