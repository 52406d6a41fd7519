// Strips and tiles of TIFF files and what packs them.
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/device/parallel.h"
#include "io/formats/tiff/tiff.h"

namespace voxgrad {
namespace {

// Bytes that one packed byte can stand for at most: of LZW, the longest entry of the table, 3838 bytes, in codes of 12 bits.
uint64_t most_inflation(int compression) { return compression == 1 ? 1 : compression == 32773 ? 64 : compression == 5 ? 2600 : 1032; }

int64_t row_bytes(const TiffPage& p, int64_t samples) { return (p.tile_width * samples * p.bits + 7) / 8; }

void inflate_all(std::span<const std::byte> from, std::span<std::byte> to) {
  z_stream z;
  std::memset(&z, 0, sizeof z);
  if (inflateInit(&z) != Z_OK) return;
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data())), z.avail_in = uInt(from.size());
  z.next_out = reinterpret_cast<Bytef*>(to.data()), z.avail_out = uInt(to.size());
  const int status = inflate(&z, Z_FINISH);
  inflateEnd(&z);
  check((status == Z_STREAM_END || status == Z_BUF_ERROR || status == Z_OK) && z.avail_out == 0, "its deflated pixels are damaged");
}

void unpack_bits(std::span<const std::byte> from, std::span<std::byte> to) {
  size_t i = 0, o = 0;
  while (o < to.size()) {
    check(i < from.size(), "its packed pixels end too early");
    const int n = static_cast<signed char>(from[i++]);
    if (n == -128) continue;
    const size_t length = size_t(n >= 0 ? n + 1 : 1 - n), kept = std::min(length, to.size() - o);
    check(i + (n >= 0 ? kept : 1) <= from.size(), "its packed pixels end too early");
    if (n >= 0) std::copy_n(from.begin() + std::ptrdiff_t(i), kept, to.begin() + std::ptrdiff_t(o));
    else std::fill_n(to.begin() + std::ptrdiff_t(o), kept, from[i]);
    i += n >= 0 ? length : 1;
    o += kept;
  }
}

// Codes of 9 to 12 bits, most significant first; 256 clears the table, 257 ends; codes grow one entry early (TIFF 6.0, section 13).
void unpack_lzw(std::span<const std::byte> from, std::span<std::byte> to) {
  struct Entry {
    uint16_t before, length;
    uint8_t last, first;
  };
  std::vector<Entry> table(4096);
  for (int i = 0; i < 256; ++i) table[size_t(i)] = {0, 1, uint8_t(i), uint8_t(i)};
  int next = 258, width = 9, previous = -1;
  uint32_t bits = 0;
  int held = 0;
  size_t i = 0, o = 0;
  while (o < to.size()) {
    while (held < width) {
      check(i < from.size(), "its LZW pixels end too early");
      bits = bits << 8 | uint32_t(from[i++]);
      held += 8;
    }
    held -= width;
    const int code = int(bits >> held & ((1u << width) - 1));
    if (code == 257) break;
    if (code == 256) {
      next = 258, width = 9, previous = -1;
      continue;
    }
    const bool known = code < 256 || (code >= 258 && code < next);
    check(known || (previous >= 0 && code == next), "its LZW pixels are damaged");
    if (previous >= 0 && next < 4096) {
      const Entry& p = table[size_t(previous)];
      const uint8_t last = known ? table[size_t(code)].first : p.first;
      table[size_t(next++)] = {uint16_t(previous), uint16_t(p.length + 1), last, p.first};
      if (next + 1 >= 1 << width && width < 12) ++width;
    }
    const size_t length = table[size_t(code)].length;
    int at = code;
    for (size_t k = length; k-- > 0; at = table[size_t(at)].before)
      if (o + k < to.size()) to[o + k] = std::byte(table[size_t(at)].last);
    o += std::min(length, to.size() - o);
    previous = code;
  }
  check(o == to.size(), "its LZW pixels end too early");
}

void to_machine_order(std::span<std::byte> data, size_t size, bool big_endian) {
  if (size == 1 || big_endian == (std::endian::native == std::endian::big)) return;
  for (size_t i = 0; i + size <= data.size(); i += size)
    std::reverse(data.begin() + std::ptrdiff_t(i), data.begin() + std::ptrdiff_t(i + size));
}

// Each sample is the sum of those before it in its row, of the same kind.
template <class T>
void add_up(std::span<std::byte> row, int64_t samples) {
  for (size_t i = size_t(samples) * sizeof(T); i + sizeof(T) <= row.size(); i += sizeof(T)) {
    T value, before;
    std::memcpy(&value, &row[i], sizeof(T));
    std::memcpy(&before, &row[i - size_t(samples) * sizeof(T)], sizeof(T));
    value = T(value + before);
    std::memcpy(&row[i], &value, sizeof(T));
  }
}

// Strip or tile k of a page: its bytes, unpacked, in the machine's order.
std::vector<std::byte> block(ByteSource& source, const TiffPage& p, size_t k, int64_t samples) {
  const uint64_t offset = p.offsets[k], length = p.lengths[k];
  check(offset <= source.file_size() && length <= source.file_size() - offset, source.name(), ": its pixels would end behind the file");
  std::vector<std::byte> packed(length), out(size_t(row_bytes(p, samples) * p.tile_height));
  source.seek(offset, false);
  source.read(packed.data(), length);
  try {
    if (p.compression == 5) unpack_lzw(packed, out);
    else if (p.compression == 32773) unpack_bits(packed, out);
    else if (p.compression != 1) inflate_all(packed, out);
    else {
      check(packed.size() >= out.size(), "its pixels end too early");
      std::copy_n(packed.begin(), out.size(), out.begin());
    }
  } catch (const Error& e) { fail(source.name(), ": ", e.what()); }
  const size_t size = size_t(std::max(8, p.bits) / 8);
  to_machine_order(out, size, p.big_endian);
  if (p.predictor == 2 && p.bits >= 8)
    for (int64_t r = 0; r < p.tile_height; ++r) {
      const auto row = std::span(out).subspan(size_t(r * row_bytes(p, samples)), size_t(row_bytes(p, samples)));
      if (size == 1) add_up<uint8_t>(row, samples);
      else if (size == 2) add_up<uint16_t>(row, samples);
      else if (size == 4) add_up<uint32_t>(row, samples);
      else add_up<uint64_t>(row, samples);
    }
  return out;
}
}  // namespace

namespace {
// Strips or tiles of a page: so many in a row, rows of them, and planes of those.
struct Pieces {
  int64_t across, down, planes, samples;  // samples: side by side in a piece
  explicit Pieces(const TiffPage& p)
      : across((p.width - 1) / p.tile_width + 1),
        down((p.height - 1) / p.tile_height + 1),
        planes(p.planar ? p.samples : 1),
        samples(p.planar ? 1 : p.samples) {}
  int64_t first_row(const TiffPage& p, int64_t k) const { return k / across % down * p.tile_height; }
  // The last strip is as long as the page.
  int64_t rows(const TiffPage& p, int64_t k) const {
    const bool strips = across == 1 && p.tile_width == p.width;
    return strips ? std::min(p.tile_height, p.height - first_row(p, k)) : p.tile_height;
  }
};

// Before memory is asked for: pieces lie apart within the file, and none announces more pixels than its bytes can hold.
void check_borne_out(const ByteSource& source, const std::vector<TiffPage>& pages) {
  uint64_t bytes = 0;
  for (const TiffPage& p : pages) {
    const Pieces all(p);
    const int64_t count = all.across * all.down, held = int64_t(std::min(p.offsets.size(), p.lengths.size()));
    check(count <= held / all.planes, source.name(), ": names ", held, " pieces of its pixels, wanted ", all.planes, " x ", count);
    for (int64_t k = 0; k < count * all.planes; ++k) {
      const uint64_t length = p.lengths[size_t(k)];
      check(length <= source.file_size() - bytes, source.name(), ": the pieces of its pixels have more bytes than the file");
      bytes += length;
      check(uint64_t(row_bytes(p, all.samples)) <= length * most_inflation(p.compression) / uint64_t(all.rows(p, k)), source.name(),
            ": announces a piece of ", p.tile_width, " x ", all.rows(p, k), " pixels, which its ", length, " bytes cannot hold");
    }
  }
}
}  // namespace

std::vector<std::byte> tiff_pixels(ByteSource& source, const std::vector<TiffPage>& pages) {
  check_borne_out(source, pages);
  const TiffPage& first = pages[0];
  const size_t size = size_t(std::max(8, first.bits) / 8);
  const uint64_t pixel = size * uint64_t(first.samples), page_bytes = uint64_t(first.width) * uint64_t(first.height) * pixel;
  std::vector<std::byte> out(page_bytes * pages.size());
  for (size_t n = 0; n < pages.size(); ++n) {
    const TiffPage& p = pages[n];
    const Pieces all(p);
    for (int64_t k = 0; k < all.across * all.down * all.planes; ++k) {
      const int64_t plane = k / (all.across * all.down), y0 = all.first_row(p, k), x0 = k % all.across * p.tile_width,
                    samples = all.samples;
      TiffPage part = p;
      part.tile_height = all.rows(p, k);
      const std::vector<std::byte> data = block(source, part, size_t(k), samples);
      const int64_t rows = std::min(p.tile_height, p.height - y0), columns = std::min(p.tile_width, p.width - x0);
      for (int64_t y = 0; y < rows; ++y)
        for (int64_t x = 0; x < columns; ++x)
          for (int64_t s = 0; s < samples; ++s) {
            const int64_t element = x * samples + s;
            std::byte* to =
                out.data() + n * page_bytes + uint64_t((y0 + y) * p.width + x0 + x) * pixel + uint64_t(p.planar ? plane : s) * size;
            const std::byte* row = data.data() + y * row_bytes(p, samples);
            if (p.bits >= 8) {
              std::memcpy(to, row + size_t(element) * size, size);
            } else {
              const int64_t bit = element * p.bits;
              *to = (row[bit / 8] >> (8 - p.bits - bit % 8)) & std::byte((1 << p.bits) - 1);
            }
          }
    }
  }
  return out;
}

}  // namespace voxgrad
