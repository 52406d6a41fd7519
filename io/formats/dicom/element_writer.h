#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace voxgrad::dicom {

// FNV-1a.
inline uint64_t hash(const void* data, size_t bytes, uint64_t h = 0xcbf29ce484222325) {
  for (size_t i = 0; i < bytes; ++i) h = (h ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3;
  return h;
}

// Under 2.25, where every number of 128 bits is one's own (PS3.5 B.2). Made of the content: the same volume makes the same files.
inline std::string own_uid(uint64_t content, uint64_t use) {
  return "2.25." + std::to_string(hash(&use, sizeof use, content) | uint64_t(1) << 63);
}

// A decimal string has at most 16 characters.
inline std::string decimal(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", v == 0 ? 0.0 : v);
  return text;
}
inline std::string decimals(std::initializer_list<double> values) {
  std::string out;
  for (double v : values) out += (out.empty() ? "" : "\\") + decimal(v);
  return out;
}

// Data elements in explicit little-endian VRs. They are wanted in rising order of their tags.
class Elements {
 public:
  void text(uint32_t tag, const char* vr, std::string value) {
    if (value.size() % 2) value += std::strcmp(vr, "UI") == 0 ? '\0' : ' ';
    head(tag, vr, value.size());
    bytes_ += value;
  }
  void number(uint32_t tag, int value) { head(tag, "US", 2), little(uint64_t(value), 2); }
  void numbers(uint32_t tag, const char* vr, std::initializer_list<uint32_t> values) {
    const int size = std::strcmp(vr, "US") == 0 ? 2 : 4;
    head(tag, vr, values.size() * size_t(size));
    for (const uint32_t v : values) little(v, size);
  }
  // A tag as a value.
  void pointer(uint32_t tag, uint32_t to) { head(tag, "AT", 4), little(to >> 16, 2), little(to & 0xffff, 2); }
  void bytes(uint32_t tag, const char* vr, const void* data, size_t size) {
    head(tag, vr, size + size % 2);
    bytes_.append(static_cast<const char*>(data), size).append(size % 2, '\0');
  }
  void length(uint32_t tag, size_t value) { head(tag, "UL", 4), little(value, 4); }
  // A sequence of items, each the bytes of its elements.
  void sequence(uint32_t tag, const std::vector<std::string>& items) {
    size_t size = 0;
    for (const std::string& i : items) size += 8 + i.size();
    head(tag, "SQ", size);
    for (const std::string& i : items) item(i);
  }
  // Pixels in compressed parts: an empty offset table and one part.
  void coded_pixels(const std::string& part) {
    head(0x7fe00010, "OB", 0xffffffff);
    item(""), item(part.size() % 2 ? part + '\0' : part);
    little(0xfffe, 2), little(0xe0dd, 2), little(0, 4);
  }
  const std::string& str() const { return bytes_; }

 private:
  void item(const std::string& content) { little(0xfffe, 2), little(0xe000, 2), little(content.size(), 4), bytes_ += content; }
  void little(uint64_t v, int size) {
    for (int i = 0; i < size; ++i) bytes_ += char(v >> 8 * i);
  }
  void head(uint32_t tag, const std::string& vr, size_t size) {
    little(tag >> 16, 2), little(tag & 0xffff, 2);
    bytes_ += vr;
    if (vr[0] == 'O' || vr == "SQ" || vr == "UT" || vr == "UN") little(0, 2), little(size, 4);
    else little(size, 2);
  }
  std::string bytes_;
};

// A whole file of these elements (PS3.10): preamble, meta information, elements.
inline std::string dicom_file_of(const std::string& sop_class, const std::string& instance, const std::string& syntax, const Elements& e) {
  Elements meta;
  meta.bytes(0x00020001, "OB", "\0\1", 2);
  meta.text(0x00020002, "UI", sop_class);
  meta.text(0x00020003, "UI", instance);
  meta.text(0x00020010, "UI", syntax);
  meta.text(0x00020012, "UI", "2.25.302876498165487112");  // of this writer
  Elements group;
  group.length(0x00020000, meta.str().size());
  return std::string(128, '\0') + "DICM" + group.str() + meta.str() + e.str();
}

}  // namespace voxgrad::dicom
