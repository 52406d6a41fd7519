#pragma once
#include <map>

#include "io/formats/dicom/planes.h"

namespace voxgrad::dicom {

// Elements by tag, from the functional groups of a frame, the shared ones, and the object itself: the first that has one.
class FrameFields {
 public:
  // `groups`: items of functional groups, those of the frame first.
  FrameFields(const DataSet& own, std::span<const DataSet* const> groups);
  std::vector<double> numbers(uint32_t tag, const char* vr = "DS") const;
  std::optional<double> number(uint32_t tag, const char* vr = "DS") const;
  std::string text(uint32_t tag) const;
  std::string text(uint32_t tag, size_t index) const;
  // Of private elements, by their creator.
  std::optional<double> private_number(const char* creator, uint32_t tag, const char* vr) const;
  std::vector<double> private_numbers(const char* creator, uint32_t tag, const char* vr) const;

 private:
  void gather(const DataSet&, int depth);
  const DataSet& holder(uint32_t tag) const;
  const DataSet& own_;
  std::vector<DataSet> kept_;
  std::vector<const DataSet*> sets_;
};

// Fills keys and order of a plane.
void read_keys(const FrameFields&, const DataSet& own, Plane&);

}  // namespace voxgrad::dicom
