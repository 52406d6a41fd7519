#include "io/formats/dicom/cursor.h"

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace voxgrad::dicom {
namespace {
constexpr uint32_t kItem = 0xfffee000, kItemEnd = 0xfffee00d, kSequenceEnd = 0xfffee0dd, kUndefined = 0xffffffff;
constexpr int kDeepest = 32;

bool has_long_length(const char* vr) {
  constexpr std::string_view longs = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
  for (size_t i = 0; i < longs.size(); i += 3)
    if (longs[i] == vr[0] && longs[i + 1] == vr[1]) return true;
  return false;
}
}  // namespace

double number_in(std::string_view word, const std::string& what) {
  double v = 0;
  const std::string_view given = word;
  if (word.starts_with('+')) word.remove_prefix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), v);
  check(error == std::errc() && end == word.data() + word.size() && std::isfinite(v), what, " is \"", std::string(given.substr(0, 40)),
        "\", wanted a number");
  return v;
}

void Cursor::fail_length(uint32_t tag, size_t begin, uint64_t length) const {
  fail(source.name, ": is cut off or malformed: the DICOM element ", name_of(tag), " at byte ", begin, " announces ", length, " bytes, ",
       end - at, " follow");
}

uint32_t Cursor::tag() {
  const bool big = encoding == Encoding::explicit_big;
  const std::byte* p = source.bytes.data() + at;
  at += 4;
  return uint32_t(unsigned_at(p, 2, big) << 16 | unsigned_at(p + 2, 2, big));
}

uint32_t Cursor::length32() {
  at += 4;
  return uint32_t(unsigned_at(source.bytes.data() + at - 4, 4, encoding == Encoding::explicit_big));
}

Element Cursor::element(int depth) {
  const size_t begin = at;
  Element e{.tag = tag()};
  uint32_t length = 0;
  const char* vr = reinterpret_cast<const char*>(source.bytes.data() + at);
  // Some writers leave the representation out of elements that should have one.
  if (encoding == Encoding::implicit_little || e.tag >> 16 == 0xfffe || !is_vr(vr)) {
    length = length32();
  } else {
    e.vr[0] = vr[0], e.vr[1] = vr[1];
    at += 4;
    if (has_long_length(vr)) {
      if (end - at < 4) fail_length(e.tag, begin, 4);
      length = length32();
    } else {
      length = uint32_t(unsigned_at(source.bytes.data() + at - 2, 2, encoding == Encoding::explicit_big));
    }
  }
  const size_t content = at;
  if (length != kUndefined) {
    if (length > end - at) fail_length(e.tag, begin, length);
    at += length;
    e.value = source.bytes.subspan(content, length);
    return e;
  }
  e.undefined = true;
  Cursor inside = *this;
  if (e.is("UN")) inside.encoding = Encoding::implicit_little;
  inside.skip_items(depth + 1);
  at = inside.at;
  e.value = source.bytes.subspan(content, at - content);
  return e;
}

std::optional<std::pair<size_t, size_t>> Cursor::item(int depth) {
  check(depth < kDeepest, source.name, ": its DICOM sequences are nested more than ", kDeepest, " deep");
  const size_t begin = at;
  const uint32_t what = tag(), length = length32();
  if (what == kSequenceEnd) return std::nullopt;
  check(what == kItem, source.name, ": is malformed: at byte ", begin, " the DICOM element ", name_of(what),
        " stands where an item of a sequence is wanted");
  const size_t content = at;
  if (length != kUndefined) {
    if (length > end - at) fail_length(what, begin, length);
    at += length;
    return std::pair(content, at);
  }
  while (more()) {
    const size_t start = at;
    if (tag() == kItemEnd) {
      at += 4;
      return std::pair(content, start);
    }
    at = start;
    element(depth);
  }
  fail(source.name, ": is cut off or malformed: the item at byte ", begin, " of a DICOM sequence has no end");
}

void Cursor::skip_items(int depth) {
  const size_t begin = at;
  while (more())
    if (!item(depth)) return;
  fail(source.name, ": is cut off or malformed: the DICOM sequence at byte ", begin, " has no end");
}

}  // namespace voxgrad::dicom
