// Mosaics of Siemens: an image whose tiles, row by row, are the slices of a volume. ImagePositionPatient is that of the corner of the whole
// image as if it were one slice of its size about the same centre, so the corner of a tile lies half the difference further in.
// Number of tiles, their normal and distance come from the elements of "SIEMENS MR HEADER", the CSA header (0029,1010) and the protocol.
#include <cmath>
#include <cstring>

#include "io/formats/dicom/cursor.h"
#include "io/formats/dicom/frame_fields.h"
#include "io/formats/text_fields.h"

namespace voxgrad::dicom {
namespace {
using Words = std::vector<std::string>;
constexpr uint32_t kMostTiles = 4096;

// The values of one field of a CSA header: "SV10", 4 bytes, number of fields, 77; a field is its name in 64 bytes, multiplicity, type in 4,
// syngo type, number of items, 77 or 205; an item is four numbers, the second its length, and its text up to a multiple of 4 bytes. The
// older form has no "SV10" and counts an item's length in its first number, from that of the first field's items.
Words csa_field(std::span<const std::byte> b, const char* wanted) {
  const auto number = [&](size_t at) { return at + 4 <= b.size() ? uint32_t(unsigned_at(b.data() + at, 4, false)) : 0xffffffffu; };
  const bool newer = b.size() >= 16 && std::memcmp(b.data(), "SV10", 4) == 0;
  size_t at = newer ? 8 : 0;
  const uint32_t fields = number(at);
  at += 8;
  uint32_t base = 0;
  for (uint32_t f = 0; f < fields && f < kMostTiles && at + 84 <= b.size(); ++f) {
    const char* name = reinterpret_cast<const char*>(b.data() + at);
    const bool found = std::string_view(name, strnlen(name, 64)) == wanted;
    const uint32_t items = number(at + 76);
    if (f == 0) base = items;
    at += 84;
    Words words;
    for (uint32_t i = 0; i < items && at + 16 <= b.size(); ++i) {
      const uint32_t length = newer ? number(at + 4) : number(at) - base;
      at += 16;
      if (length > b.size() - at) return {};
      const char* text = reinterpret_cast<const char*>(b.data() + at);
      const std::string_view word = trimmed({text, strnlen(text, length)});
      if (found && !word.empty()) words.emplace_back(word);
      at += (length + 3) / 4 * 4;
      if (at > b.size()) return {};
    }
    if (found) return words;
  }
  return {};
}

std::vector<double> csa_numbers(const DicomFile& f, const char* field) {
  std::vector<double> out;
  const uint32_t tag = f.data.private_tag("SIEMENS CSA HEADER", 0x00290010);
  const Element* e = tag ? f.data.find(tag) : nullptr;
  if (!e) return out;
  for (const std::string& word : csa_field(e->value, field)) out.push_back(number_in(word, f.who() + ": " + field + " of its CSA header"));
  return out;
}

// "key = value" of the protocol between "### ASCCONV BEGIN" and "END", wherever it is kept.
std::optional<double> protocol_number(const DicomFile& f, const std::string& key) {
  for (const char* creator : {"SIEMENS CSA HEADER", "SIEMENS MR SDS 01"}) {
    const uint32_t tag = f.data.private_tag(creator, std::strcmp(creator, "SIEMENS CSA HEADER") == 0 ? 0x00290020 : 0x00210019);
    const Element* e = tag ? f.data.find(tag) : nullptr;
    if (!e) continue;
    std::string_view text(reinterpret_cast<const char*>(e->value.data()), e->value.size());
    const size_t begin = text.find("### ASCCONV BEGIN");
    if (begin == text.npos) continue;
    text = text.substr(begin, text.find("### ASCCONV END", begin) - begin);
    for (size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
      std::string_view rest = trimmed(text.substr(at + key.size(), text.substr(at + key.size()).find('\n')));
      if (!rest.starts_with('=') || (at > 0 && text[at - 1] != '\n' && text[at - 1] != ' ')) continue;
      return number_in(trimmed(rest.substr(1)), f.who() + ": " + key + " of its protocol");
    }
  }
  return std::nullopt;
}

int64_t tiles_of(const DicomFile& f) {
  const uint32_t tag = f.data.private_tag("SIEMENS MR HEADER", 0x0019000a);
  if (const auto n = tag ? f.data.number(tag, "US") : std::nullopt) return int64_t(*n);
  if (const auto n = csa_numbers(f, "NumberOfImagesInMosaic"); !n.empty()) return int64_t(n[0]);
  return int64_t(protocol_number(f, "sSliceArray.lSize").value_or(0));
}

// From slice to slice in mm along the normal of rows and columns; negative: against it.
double step_of(const DicomFile& f, const Plane& p, std::string& warning) {
  Vec3 first = {}, second = {};
  bool listed = true;
  constexpr const char* kAxes[] = {".sPosition.dSag", ".sPosition.dCor", ".sPosition.dTra"};
  for (size_t r = 0; r < 3; ++r) {  // absent: 0
    const auto a = protocol_number(f, std::string("sSliceArray.asSlice[0]") + kAxes[r]);
    const auto b = protocol_number(f, std::string("sSliceArray.asSlice[1]") + kAxes[r]);
    first[r] = a.value_or(0), second[r] = b.value_or(0);
  }
  const Vec3 normal = cross(p.row, p.column);
  double along = 0;
  for (size_t r = 0; r < 3; ++r) along += (second[r] - first[r]) * normal[r];
  listed = std::abs(along) > 1e-3;
  double size = p.between > 0 ? p.between : listed ? std::abs(along) : p.thickness;
  if (size == 0) size = 1;
  if (p.between == 0 && !listed) warning = "its mosaic says nothing of the distance between its slices; their thickness is assumed";
  const auto said = csa_numbers(f, "SliceNormalVector");
  if (said.size() == 3) along = said[0] * normal[0] + said[1] * normal[1] + said[2] * normal[2];
  return along < 0 ? -size : size;
}
}  // namespace

bool split_mosaic(const DicomFile& f, Object& o) {
  const std::string type = f.data.text(tag::image_type);
  if (type.find("MOSAIC") == type.npos || o.planes.size() != 1 || o.format.samples != 1) return false;
  const int64_t tiles = tiles_of(f);
  check(tiles >= 1 && tiles <= kMostTiles, f.who(), ": is a mosaic of slices that does not say of how many (", tiles, ")");
  const auto side = int64_t(std::ceil(std::sqrt(double(tiles)) - 1e-9));
  check(o.rows % side == 0 && o.columns % side == 0, f.who(), ": is a mosaic of ", tiles, " slices in ", side, " x ", side,
        " tiles, which ", o.columns, " x ", o.rows, " voxels cannot be");
  check(o.planes[0].placed, f.who(), ": is a mosaic of slices without a position and an orientation in space");
  o.rows /= side, o.columns /= side, o.tiles_per_row = int(side);
  Plane whole = o.planes[0];
  const double step = step_of(f, whole, o.warning);
  const Vec3 normal = cross(whole.row, whole.column);
  const double down = whole.spacing[0] * double(o.rows * (side - 1)) / 2, right = whole.spacing[1] * double(o.columns * (side - 1)) / 2;
  o.planes.clear();
  for (int64_t t = 0; t < tiles; ++t) {
    Plane p = whole;
    p.tile = int(t), p.between = std::abs(step);
    for (size_t r = 0; r < 3; ++r) p.position[r] += down * p.column[r] + right * p.row[r] + double(t) * step * normal[r];
    o.planes.push_back(std::move(p));
  }
  return true;
}

}  // namespace voxgrad::dicom
