#include "data/cache/geometry_json.h"

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_fields.h"

namespace voxgrad {
namespace {

constexpr int kLargestExtent = 1 << 24;

Json three(const Int3& v) { return {v.d, v.h, v.w}; }

const Json& list_of(const Json& j, size_t count, const std::string& who) {
  check(j.is_array() && j.size() == count, who, ": a list of ", count, " values is wanted");
  return j;
}

Int3 extents_from(const Json& j, const char* key, int least, const std::string& who) {
  const std::string where = who + ": " + key;
  const Json& v = list_of(field(j, key, who), 3, where);
  Int3 out;
  for (int a = 0; a < 3; ++a) {
    out[a] = whole_of(v[size_t(a)], where);
    check(out[a] >= least && out[a] <= kLargestExtent, where, ": ", out[a], " is not from ", least, " to ", kLargestExtent);
  }
  return out;
}

Vec3 numbers_from(const Json& j, const char* key, const std::string& who) {
  const std::string where = who + ": " + key;
  const Json& v = list_of(field(j, key, who), 3, where);
  return {number_of(v[0], where), number_of(v[1], where), number_of(v[2], where)};
}

}  // namespace

Json to_json(const Geometry& g) {
  return {{"axis", g.orientation.axis},       {"flip", g.orientation.flip},     {"affine", g.affine.m},
          {"canonical", three(g.canonical)},  {"working", three(g.working)},    {"box_begin", three(g.box_begin)},
          {"box", three(g.box)},              {"file_spacing", g.file_spacing}, {"spacing", g.spacing},
          {"resampling", g.resampling},       {"unit", name_of(g.unit)}};
}

Geometry geometry_from_json(const Json& j, const std::string& who) {
  Geometry g;
  const Json &axis = list_of(field(j, "axis", who), 3, who + ": axis"), &flip = list_of(field(j, "flip", who), 3, who + ": flip");
  std::array<bool, 3> seen{};
  for (size_t a = 0; a < 3; ++a) {
    const int to = whole_of(axis[a], who + ": axis");
    check(to >= 0 && to < 3 && !seen[size_t(to)], who, ": axis is no order of 0, 1, 2");
    seen[size_t(to)] = true;
    g.orientation.axis[a] = to;
    g.orientation.flip[a] = flag_of(flip[a], who + ": flip");
  }
  const Json& rows = list_of(field(j, "affine", who), 4, who + ": affine");
  for (size_t r = 0; r < 4; ++r)
    for (size_t c = 0; c < 4; ++c) g.affine.m[r][c] = number_of(list_of(rows[r], 4, who + ": affine")[c], who + ": affine");
  g.canonical = extents_from(j, "canonical", 1, who);
  g.working = extents_from(j, "working", 1, who);
  g.box_begin = extents_from(j, "box_begin", 0, who);
  g.box = extents_from(j, "box", 1, who);
  for (int a = 0; a < 3; ++a)
    check(g.box_begin[a] + g.box[a] <= g.canonical[a], who, ": the box ends at ", g.box_begin[a] + g.box[a], " of ", g.canonical[a]);
  g.file_spacing = numbers_from(j, "file_spacing", who);
  g.spacing = numbers_from(j, "spacing", who);
  for (double s : {g.spacing[0], g.spacing[1], g.spacing[2]}) check(s > 0, who, ": the spacing ", s, " mm is not possible");
  g.resampling = text_of(field(j, "resampling", who), who + ": resampling");
  const std::string unit = text_of(field(j, "unit", who), who + ": unit");
  bool known = false;
  for (LengthUnit u : {LengthUnit::millimetre, LengthUnit::micrometre, LengthUnit::metre}) {
    if (unit != name_of(u)) continue;
    g.unit = u;
    known = true;
  }
  check(known, who, ": the unit \"", unit, "\" is unknown");
  return g;
}

}  // namespace voxgrad
