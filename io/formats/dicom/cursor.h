#pragma once
#include <optional>
#include <utility>

#include "io/formats/dicom/data_set.h"

namespace voxgrad::dicom {

// Walks over elements and items. `depth` is how many sequences of undefined length it is in.
struct Cursor {
  const Source& source;
  size_t at, end;
  Encoding encoding;

  bool more() const { return end - at >= 8; }
  Element element(int depth);
  // [begin, end) of the next item's content, or nothing at the end of the sequence.
  std::optional<std::pair<size_t, size_t>> item(int depth);

 private:
  uint32_t tag();
  uint32_t length32();
  void skip_items(int depth);  // to behind the delimiter of a sequence
  [[noreturn]] void fail_length(uint32_t tag, size_t begin, uint64_t length) const;
};

// A decimal number as DICOM writes it; `what` names file and element.
double number_in(std::string_view word, const std::string& what);

}  // namespace voxgrad::dicom
