#include "io/formats/dicom/data_set.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "io/formats/dicom/cursor.h"
#include "io/formats/text_fields.h"

namespace voxgrad::dicom {
namespace {
std::string_view text_of(const Element& e) {
  std::string_view s(reinterpret_cast<const char*>(e.value.data()), e.value.size());
  while (!s.empty() && (s.back() == '\0' || s.back() == ' ')) s.remove_suffix(1);
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  return s;
}

std::string_view part_of(std::string_view s, size_t index) {
  for (; index > 0; --index) {
    const size_t end = s.find('\\');
    if (end == s.npos) return {};
    s.remove_prefix(end + 1);
  }
  return trimmed(s.substr(0, s.find('\\')));
}

double binary_number(const std::byte* at, const char* vr, bool big) {
  const std::string_view kind(vr, 2);
  if (kind == "US") return double(unsigned_at(at, 2, big));
  if (kind == "SS") return double(int16_t(unsigned_at(at, 2, big)));
  if (kind == "SL") return double(int32_t(unsigned_at(at, 4, big)));
  if (kind == "FL") return double(std::bit_cast<float>(uint32_t(unsigned_at(at, 4, big))));
  if (kind == "FD") return std::bit_cast<double>(unsigned_at(at, 8, big));
  if (kind == "AT") return double(unsigned_at(at, 2, big) << 16 | unsigned_at(at + 2, 2, big));
  return double(unsigned_at(at, 4, big));
}

size_t size_of_binary(std::string_view vr) {
  if (vr == "US" || vr == "SS") return 2;
  if (vr == "UL" || vr == "SL" || vr == "FL" || vr == "AT") return 4;
  return vr == "FD" ? 8 : 0;
}
}  // namespace

std::string name_of(uint32_t tag) {
  char text[16];
  std::snprintf(text, sizeof text, "(%04X,%04X)", tag >> 16, tag & 0xffff);
  return text;
}

bool is_vr(const char* two) {
  constexpr std::string_view known =
      "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV ";
  for (size_t at = 0; at < known.size(); at += 3)
    if (known[at] == two[0] && known[at + 1] == two[1]) return true;
  return false;
}

uint64_t unsigned_at(const std::byte* at, int size, bool big) {
  uint64_t v = 0;
  for (int i = 0; i < size; ++i) v |= uint64_t(at[big ? size - 1 - i : i]) << 8 * i;
  return v;
}

DataSet::DataSet(const Source& source, size_t begin, size_t end, Encoding encoding) : source_(&source), encoding_(encoding) {
  Cursor cursor{source, begin, end, encoding};
  constexpr uint32_t kPixels = 0x7fe00008;
  bool pixels = false;
  while (cursor.more()) {
    try {
      const Element e = cursor.element(0);
      if (e.tag >> 16 == 0xfffe) break;  // a delimiter that closes nothing
      elements_.push_back(e);
      pixels = pixels || (e.tag >= kPixels && e.tag <= kPixels + 8);
    } catch (const Error&) {
      if (!pixels) throw;
      break;  // what follows the voxels is of no use here
    }
  }
}

const Element* DataSet::find(uint32_t tag) const {
  for (const Element& e : elements_)
    if (e.tag == tag) return &e;
  return nullptr;
}

std::string DataSet::text(uint32_t tag) const {
  const Element* e = find(tag);
  return e ? std::string(text_of(*e)) : std::string();
}

std::string DataSet::text(uint32_t tag, size_t index) const {
  const Element* e = find(tag);
  return e ? std::string(part_of(text_of(*e), index)) : std::string();
}

std::vector<double> DataSet::numbers(uint32_t tag, const char* vr) const {
  const Element* e = find(tag);
  std::vector<double> out;
  if (!e || e->value.empty()) return out;
  const char* kind = e->vr[0] && !e->is("UN") && !e->is("OB") && !e->is("OW") ? e->vr : vr;
  const bool big = encoding_ == Encoding::explicit_big;
  if (const size_t size = size_of_binary({kind, 2})) {
    for (size_t at = 0; at + size <= e->value.size(); at += size) out.push_back(binary_number(e->value.data() + at, kind, big));
    return out;
  }
  std::string_view rest = text_of(*e);
  while (true) {
    const size_t end = rest.find('\\');
    const std::string_view word = trimmed(rest.substr(0, end));
    if (!word.empty()) {
      const double v = number_in(word, source_->name + ": the DICOM element " + name_of(tag));
      out.push_back(v);
    }
    if (end == rest.npos) return out;
    rest.remove_prefix(end + 1);
  }
}

std::optional<double> DataSet::number(uint32_t tag, const char* vr) const {
  const auto all = numbers(tag, vr);
  return all.empty() ? std::nullopt : std::optional(all[0]);
}

int64_t DataSet::whole(uint32_t tag, int64_t least, int64_t most, const char* vr) const {
  const auto v = number(tag, vr);
  check(v.has_value(), source_->name, ": has no DICOM element ", name_of(tag), ", which an image needs");
  check(*v >= double(least) && *v <= double(most) && *v == std::floor(*v), source_->name, ": the DICOM element ", name_of(tag), " is ", *v,
        ", wanted a whole number from ", least, " to ", most);
  return int64_t(*v);
}

int64_t DataSet::whole_or(uint32_t tag, int64_t absent, int64_t least, int64_t most, const char* vr) const {
  return number(tag, vr) ? whole(tag, least, most, vr) : absent;
}

std::vector<DataSet> DataSet::items(uint32_t tag) const {
  const Element* e = find(tag);
  return e ? items(*e) : std::vector<DataSet>();
}

std::vector<DataSet> DataSet::items(const Element& e) const {
  // What was written as unknown is in implicit little-endian (PS3.5 6.2.2).
  const Encoding inside = e.is("UN") ? Encoding::implicit_little : encoding_;
  const size_t begin = size_t(e.value.data() - source_->bytes.data());
  Cursor cursor{*source_, begin, begin + e.value.size(), inside};
  std::vector<DataSet> out;
  while (cursor.more()) {
    const auto item = cursor.item(0);
    if (!item) break;
    out.emplace_back(*source_, item->first, item->second, inside);
  }
  return out;
}

uint32_t DataSet::private_tag(const char* creator, uint32_t tag) const {
  for (const Element& e : elements_)
    if (e.tag >> 16 == tag >> 16 && (e.tag & 0xffff) >= 0x10 && (e.tag & 0xffff) <= 0xff && text_of(e) == creator)
      return (tag & 0xffff0000) | (e.tag & 0xff) << 8 | (tag & 0xff);
  return 0;
}

std::vector<std::span<const std::byte>> fragments(const Source& source, const Element& e) {
  const size_t begin = size_t(e.value.data() - source.bytes.data());
  Cursor cursor{source, begin, begin + e.value.size(), Encoding::explicit_little};
  std::vector<std::span<const std::byte>> out;
  while (cursor.more()) {
    const auto item = cursor.item(0);
    if (!item) break;
    out.push_back(source.bytes.subspan(item->first, item->second - item->first));
  }
  return out;
}

}  // namespace voxgrad::dicom
