#include "io/picture/picture.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/atomic_file.h"
#include "io/picture/font.h"
#include "io/formats/gzip.h"

namespace voxgrad {

// Hues far apart for normal and, as far as twelve allow, for colour-blind eyes; light enough to be seen on grey.
Color label_color(int64_t label) {
  constexpr Color colors[12] = {{230, 75, 60},  {70, 170, 235},  {250, 200, 50}, {90, 200, 110},  {185, 110, 225}, {245, 145, 50},
                                {60, 210, 205}, {240, 120, 180}, {170, 210, 60}, {120, 130, 245}, {200, 150, 110}, {235, 235, 235}};
  if (label <= 0) return {};
  const Color c = colors[(label - 1) % 12];
  const int64_t round = (label - 1) / 12 % 3;
  const int percent = round == 0 ? 100 : round == 1 ? 70 : 45;
  return {uint8_t(c.r * percent / 100), uint8_t(c.g * percent / 100), uint8_t(c.b * percent / 100)};
}

Picture::Picture(int width, int height, Color background) : width_(width), height_(height) {
  check(width > 0 && height > 0 && int64_t(width) * height <= int64_t(1) << 28, "picture: ", width, " x ", height,
        " pixels are not possible");
  rgb_.resize(size_t(width) * size_t(height) * 3);
  for (size_t i = 0; i < rgb_.size(); i += 3) rgb_[i] = background.r, rgb_[i + 1] = background.g, rgb_[i + 2] = background.b;
}

Color Picture::at(int x, int y) const {
  check(x >= 0 && x < width_ && y >= 0 && y < height_, "picture: (", x, ", ", y, ") is outside ", width_, " x ", height_);
  const uint8_t* p = &rgb_[(size_t(y) * size_t(width_) + size_t(x)) * 3];
  return {p[0], p[1], p[2]};
}

void Picture::set(int x, int y, Color c) {
  if (x < 0 || x >= width_ || y < 0 || y >= height_) return;
  uint8_t* p = &rgb_[(size_t(y) * size_t(width_) + size_t(x)) * 3];
  p[0] = c.r, p[1] = c.g, p[2] = c.b;
}

void Picture::blend(int x, int y, Color c, double alpha) {
  if (x < 0 || x >= width_ || y < 0 || y >= height_) return;
  const Color old = at(x, y);
  const auto mix = [&](uint8_t a, uint8_t b) { return uint8_t(std::lround(a + (b - a) * std::clamp(alpha, 0.0, 1.0))); };
  set(x, y, {mix(old.r, c.r), mix(old.g, c.g), mix(old.b, c.b)});
}

void fill_rectangle(Picture& p, int x, int y, int width, int height, Color c) {
  for (int j = std::max(0, y); j < std::min(p.height(), y + height); ++j)
    for (int i = std::max(0, x); i < std::min(p.width(), x + width); ++i) p.set(i, j, c);
}

// Each pixel is covered by how near its centre is to the segment.
void draw_line(Picture& p, std::array<double, 2> a, std::array<double, 2> b, Color c, double thickness) {
  const double dx = b[0] - a[0], dy = b[1] - a[1], length2 = dx * dx + dy * dy, reach = thickness / 2 + 1;
  if (!std::isfinite(length2)) return;
  const auto low = [&](double u, double v) { return int(std::floor(std::max(-1.0, std::min(u, v) - reach))); };
  const auto high = [&](double u, double v, int end) { return int(std::ceil(std::min(double(end), std::max(u, v) + reach))); };
  for (int y = low(a[1], b[1]); y <= high(a[1], b[1], p.height()); ++y)
    for (int x = low(a[0], b[0]); x <= high(a[0], b[0], p.width()); ++x) {
      const double t = length2 > 0 ? std::clamp(((x - a[0]) * dx + (y - a[1]) * dy) / length2, 0.0, 1.0) : 0;
      const double distance = std::hypot(x - a[0] - t * dx, y - a[1] - t * dy);
      if (const double cover = thickness / 2 + 0.5 - distance; cover > 0) p.blend(x, y, c, cover);
    }
}

static constexpr int kLineHeight = kGlyphHeight + 3;

// A character that the font lacks is drawn as a box. The bytes after the first of a UTF-8 character take no room.
static bool has_room(char ch) { return (static_cast<unsigned char>(ch) & 0xC0) != 0x80; }

void draw_text(Picture& p, int x, int y, std::string_view text, Color c, int scale) {
  int column = x;
  for (char ch : text) {
    if (ch == '\n') {
      column = x, y += kLineHeight * scale;
      continue;
    }
    if (!has_room(ch)) continue;
    const bool known = ch >= 32 && ch < 127;
    for (int r = 0; r < kGlyphHeight; ++r) {
      const int bits = known ? kGlyphs[ch - 32][r] : r == 0 || r == kCapitalHeight - 1 ? 31 : r < kCapitalHeight ? 17 : 0;
      for (int i = 0; i < kGlyphWidth; ++i)
        if (bits >> (kGlyphWidth - 1 - i) & 1) fill_rectangle(p, column + i * scale, y + r * scale, scale, scale, c);
    }
    column += (kGlyphWidth + 1) * scale;
  }
}

std::array<int, 2> text_size(std::string_view text, int scale) {
  int width = 0, line = 0, lines = 1;
  for (char ch : text) {
    if (ch == '\n') line = 0, ++lines;
    else if (has_room(ch)) width = std::max(width, ++line);
  }
  return {std::max(0, width * (kGlyphWidth + 1) - 1) * scale, ((lines - 1) * kLineHeight + kCapitalHeight) * scale};
}

void paste(Picture& into, const Picture& from, int x, int y) {
  for (int j = 0; j < from.height(); ++j)
    for (int i = 0; i < from.width(); ++i) into.set(x + i, y + j, from.at(i, j));
}

Picture stack_pictures(const std::vector<Picture>& pictures) {
  check(!pictures.empty(), "stack_pictures: no picture was given");
  int width = 0, height = 0;
  for (auto& p : pictures) width = std::max(width, p.width()), height += p.height();
  Picture out(width, height, pictures[0].at(0, 0));
  int y = 0;
  for (auto& p : pictures) paste(out, p, 0, y), y += p.height();
  return out;
}

namespace {
void put_big_endian(std::string& out, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out += char(v >> shift & 0xff);
}
// A chunk: length, name, data, checksum of name and data.
std::string chunk(const char* name, const std::string& data) {
  std::string out;
  put_big_endian(out, uint32_t(data.size()));
  const std::string body = name + data;
  out += body;
  put_big_endian(out, uint32_t(crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size())));
  return out;
}
}  // namespace

// PNG (w3.org/TR/png): every row is stored as its difference to the row above, filter 2.
void write_png(const std::filesystem::path& path, const Picture& p) {
  const size_t row = size_t(p.width()) * 3;
  std::vector<std::byte> filtered((row + 1) * size_t(p.height()));
  for (size_t y = 0; y < size_t(p.height()); ++y) {
    std::byte* to = &filtered[y * (row + 1)];
    to[0] = std::byte(2);
    for (size_t i = 0; i < row; ++i) to[i + 1] = std::byte(p.rgb()[y * row + i] - (y > 0 ? p.rgb()[(y - 1) * row + i] : 0));
  }
  std::string head, data;
  put_big_endian(head, uint32_t(p.width())), put_big_endian(head, uint32_t(p.height()));
  head += std::string("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, deflate, adaptive filters, not interlaced
  const std::span<const std::byte> pieces[] = {filtered};
  deflate_stream(
      pieces, Wrapper::zlib, [&](const void* bytes, size_t n) { data.append(static_cast<const char*>(bytes), n); }, 9);
  AtomicFile file(path);
  file.write("\x89PNG\r\n\x1a\n");
  file.write(chunk("IHDR", head)), file.write(chunk("IDAT", data)), file.write(chunk("IEND", ""));
  file.commit();
}

}  // namespace voxgrad
