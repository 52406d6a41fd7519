#include "io/formats/dicom/frame_fields.h"

#include <algorithm>
#include <cmath>

namespace voxgrad::dicom {
namespace {
constexpr int kDeepestGroups = 4;

// A sequence that describes a frame, and not what it was derived from (group 0008 but for the kind of the frame).
bool is_group(const Element& e, Encoding encoding) {
  if (e.value.size() < 8 || e.tag >> 16 == 0x0008 || (e.tag >> 16) % 2 == 1) return false;
  if (e.vr[0] && !e.is("UN")) return e.is("SQ");
  return unsigned_at(e.value.data(), 2, encoding == Encoding::explicit_big) == 0xfffe;
}
}  // namespace

FrameFields::FrameFields(const DataSet& own, std::span<const DataSet* const> groups) : own_(own) {
  kept_.reserve(64);
  for (const DataSet* g : groups) gather(*g, 0);
  for (const DataSet& s : kept_) sets_.push_back(&s);
  sets_.push_back(&own);
}

void FrameFields::gather(const DataSet& group, int depth) {
  kept_.push_back(group);
  for (const Element& e : group.elements())
    if (depth < kDeepestGroups && is_group(e, group.encoding()))
      if (const auto items = group.items(e); !items.empty()) gather(items[0], depth + 1);
}

const DataSet& FrameFields::holder(uint32_t tag) const {
  for (const DataSet* s : sets_)
    if (const Element* e = s->find(tag); e && !e->value.empty()) return *s;
  return own_;
}

std::vector<double> FrameFields::numbers(uint32_t tag, const char* vr) const { return holder(tag).numbers(tag, vr); }
std::optional<double> FrameFields::number(uint32_t tag, const char* vr) const { return holder(tag).number(tag, vr); }
std::string FrameFields::text(uint32_t tag) const { return holder(tag).text(tag); }
std::string FrameFields::text(uint32_t tag, size_t index) const { return holder(tag).text(tag, index); }

std::vector<double> FrameFields::private_numbers(const char* creator, uint32_t tag, const char* vr) const {
  for (const DataSet* s : sets_)
    if (const uint32_t found = s->private_tag(creator, tag); found && s->has(found)) return s->numbers(found, vr);
  return {};
}

std::optional<double> FrameFields::private_number(const char* creator, uint32_t tag, const char* vr) const {
  const auto all = private_numbers(creator, tag, vr);
  return all.empty() ? std::nullopt : std::optional(all[0]);
}

}  // namespace voxgrad::dicom
