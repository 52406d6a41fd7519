#pragma once
// Data elements of DICOM as PS3.5 section 7 has them, read from bytes that may be anything: every length is held against what is there,
// sequences are taken apart when they are asked for, and nesting is limited. Nothing is copied: elements point into the bytes.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxgrad::dicom {

enum class Encoding { implicit_little, explicit_little, explicit_big };

// Bytes that data sets point into, and their name for messages.
struct Source {
  std::string name;
  std::span<const std::byte> bytes;
};

// Tags are group << 16 | element.
struct Element {
  uint32_t tag = 0;
  char vr[2] = {};         // zero: the encoding does not say
  bool undefined = false;  // its length was, so it ends with a delimiter
  std::span<const std::byte> value = {};
  bool is(std::string_view name) const { return vr[0] == name[0] && vr[1] == name[1]; }
};

class DataSet {
 public:
  DataSet() = default;
  // The elements in bytes [begin, end) of `source`, which outlives the data set.
  DataSet(const Source&, size_t begin, size_t end, Encoding);

  const Element* find(uint32_t tag) const;  // the first one; null: absent
  bool has(uint32_t tag) const { return find(tag) != nullptr; }
  // Without padding; empty where it is absent.
  std::string text(uint32_t tag) const;
  // One of its values, which a backslash separates.
  std::string text(uint32_t tag, size_t index) const;
  // Its values. `vr` says how they are written where the encoding does not: DS, IS (text), US, SS, UL, SL, FL, FD, AT.
  std::vector<double> numbers(uint32_t tag, const char* vr = "DS") const;
  std::optional<double> number(uint32_t tag, const char* vr = "DS") const;
  // Of a whole number that must be there and lie in the range.
  int64_t whole(uint32_t tag, int64_t least, int64_t most, const char* vr = "US") const;
  int64_t whole_or(uint32_t tag, int64_t absent, int64_t least, int64_t most, const char* vr = "US") const;
  // Items of a sequence; none where it is absent.
  std::vector<DataSet> items(uint32_t tag) const;
  std::vector<DataSet> items(const Element&) const;
  // A private element by its creator: tag 0x0019000a of "SIEMENS MR HEADER" is (0019,xx0A). 0: absent.
  uint32_t private_tag(const char* creator, uint32_t tag) const;

  const std::vector<Element>& elements() const { return elements_; }
  Encoding encoding() const { return encoding_; }
  const Source& source() const { return *source_; }

 private:
  const Source* source_ = nullptr;
  Encoding encoding_ = Encoding::explicit_little;
  std::vector<Element> elements_;
};

// "(0028,0010)".
std::string name_of(uint32_t tag);
// Whether two bytes name a value representation.
bool is_vr(const char* two);
// A number of 1 to 8 bytes in the order of the encoding.
uint64_t unsigned_at(const std::byte*, int size, bool big);
// The parts of an undefined-length element of pixels, its offset table first (PS3.5 A.4).
std::vector<std::span<const std::byte>> fragments(const Source&, const Element&);

}  // namespace voxgrad::dicom
