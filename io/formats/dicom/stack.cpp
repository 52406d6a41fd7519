#include "io/formats/dicom/stack.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace voxgrad::dicom {
namespace {
// A step between slices may differ from their mean by this much of it before slices are taken to be missing, and a slice may lie as far
// beside the line through the others.
constexpr double kUneven = 0.1;
constexpr double kSamePlace = 1e-3;  // mm

double height_of(const Plane& p) {
  const Vec3 n = unit(cross(p.row, p.column));
  return n[0] * p.position[0] + n[1] * p.position[1] + n[2] * p.position[2];
}

using Tuple = std::vector<KeyValue>;
Tuple tuple_of(const Plane& p, const std::vector<size_t>& keys) {
  Tuple t;
  for (const size_t k : keys) t.push_back(p.keys[k]);
  return t;
}

// The tuples at every slice, if all slices have the same ones and each once; else empty.
std::set<Tuple> tuples_of(const std::vector<Placed>& planes, const std::vector<size_t>& keys, int64_t slices, int64_t channels) {
  std::vector<std::set<Tuple>> at(static_cast<size_t>(slices));
  for (const Placed& p : planes) at[size_t(p.slice)].insert(tuple_of(p.plane, keys));
  for (const auto& set : at)
    if (set != at[0] || int64_t(set.size()) != channels) return {};
  return at[0];
}

// Keys whose values are the same at every slice, and several.
std::vector<size_t> telling_keys(const std::vector<Placed>& planes, int64_t slices) {
  std::vector<size_t> out;
  for (size_t k = 0; k < kKeys; ++k) {
    std::vector<std::set<KeyValue>> at(static_cast<size_t>(slices));
    for (const Placed& p : planes) at[size_t(p.slice)].insert(p.plane.keys[k]);
    if (at[0].size() > 1 && std::all_of(at.begin(), at.end(), [&](const auto& set) { return set == at[0]; })) out.push_back(k);
  }
  return out;
}

// Channels by the order of times or numbers at each slice; false where two are the same.
bool ranked(Stack& s, size_t which) {
  std::map<int64_t, std::set<KeyValue>> at;
  for (const Placed& p : s.planes)
    if (!p.plane.order[which].is_said() || !at[p.slice].insert(p.plane.order[which]).second) return false;
  for (Placed& p : s.planes) {
    const auto& all = at[p.slice];
    p.channel = int64_t(std::distance(all.begin(), all.find(p.plane.order[which])));
  }
  for (int64_t c = 0; c < s.channels; ++c) s.names.push_back((which < 2 ? "time point " : "image ") + std::to_string(c + 1));
  if (which == 2) s.warning = "images at one position are told apart by their InstanceNumber alone";
  return true;
}

void find_channels(Stack& s, const std::string& who) {
  std::vector<size_t> keys = telling_keys(s.planes, s.slices);
  std::set<Tuple> tuples = tuples_of(s.planes, keys, s.slices, s.channels);
  for (size_t i = keys.size(); !tuples.empty() && i-- > 0;) {
    if (keys[i] == size_t(Key::b_value)) continue;  // a direction alone would not say which volume has none
    std::vector<size_t> fewer = keys;
    fewer.erase(fewer.begin() + int64_t(i));
    if (auto enough = tuples_of(s.planes, fewer, s.slices, s.channels); !enough.empty()) keys = fewer, tuples = enough;
  }
  if (tuples.empty()) {
    for (size_t which = 0; which < 3; ++which)
      if (ranked(s, which)) return;
    fail(who, ": ", s.channels,
         " images lie at one position, and no time, b-value, echo or number tells them apart; leave the doubles out");
  }
  for (Placed& p : s.planes) p.channel = int64_t(std::distance(tuples.begin(), tuples.find(tuple_of(p.plane, keys))));
  for (const Tuple& t : tuples) {
    std::string name;
    for (size_t i = 0; i < t.size(); ++i)
      if (const std::string part = describe(Key(keys[i]), t[i]); !part.empty()) name += (name.empty() ? "" : ", ") + part;
    s.names.push_back(name);
  }
}

// Heights of the slices, ascending; every plane is given its slice.
std::vector<double> find_slices(Stack& s) {
  std::stable_sort(s.planes.begin(), s.planes.end(),
                   [](const Placed& a, const Placed& b) { return height_of(a.plane) < height_of(b.plane); });
  std::vector<double> heights;
  for (Placed& p : s.planes) {
    const double h = height_of(p.plane);
    if (heights.empty() || h - heights.back() > kSamePlace) heights.push_back(h);
    p.slice = int64_t(heights.size()) - 1;
  }
  return heights;
}

void check_even(const std::vector<double>& heights, const std::string& who) {
  const double mean = (heights.back() - heights.front()) / double(heights.size() - 1);
  double least = mean, most = mean;
  for (size_t i = 1; i < heights.size(); ++i)
    least = std::min(least, heights[i] - heights[i - 1]), most = std::max(most, heights[i] - heights[i - 1]);
  check(most - mean <= kUneven * mean && mean - least <= kUneven * mean, who, ": its slices are not evenly spaced: from ", least, " to ",
        most, " mm apart; some may be missing");
}

// Every slice has as many planes, or the message says which have not.
void check_complete(const Stack& s, const std::vector<double>& heights, const std::string& who) {
  std::vector<int64_t> count(heights.size());
  for (const Placed& p : s.planes) ++count[size_t(p.slice)];
  const auto [least, most] = std::minmax_element(count.begin(), count.end());
  check(*least == *most, who, ": of its ", heights.size(), " positions some have ", *most, " images, but that at ",
        heights[size_t(least - count.begin())], " mm along the normal has ", *least, "; images are missing or double");
}

void set_geometry(Stack& s, const std::string& who, double scale) {
  const Plane &first = s.planes.front().plane, &last = s.planes.back().plane;
  const Vec3 normal = unit(cross(first.row, first.column));
  const double thick = first.thickness > 0 ? first.thickness : first.between > 0 ? first.between : 1;
  if (s.slices == 1 && first.thickness == 0 && first.between == 0 && first.placed && s.warning.empty())
    s.warning = "it says nothing of the thickness of its only slice; 1 mm is assumed";
  for (size_t r = 0; r < 3; ++r) {
    s.geometry.axis[0][r] = first.row[r] * first.spacing[1];
    s.geometry.axis[1][r] = first.column[r] * first.spacing[0];
    s.geometry.axis[2][r] = s.slices > 1 ? (last.position[r] - first.position[r]) / double(s.slices - 1)
                            : scale > 0  ? normal[r] * scale
                                         : normal[r] * thick;
    s.geometry.origin[r] = first.position[r];
  }
  const double step = std::hypot(s.geometry.axis[2][0], s.geometry.axis[2][1], s.geometry.axis[2][2]);
  for (const Placed& p : s.planes) {
    double off = 0;
    for (size_t r = 0; r < 3; ++r) off += std::pow(p.plane.position[r] - first.position[r] - double(p.slice) * s.geometry.axis[2][r], 2);
    check(std::sqrt(off) <= kUneven * step + kSamePlace, who, ": its slices do not lie in a row: one is ", std::sqrt(off),
          " mm beside the line through the first and the last");
  }
}
}  // namespace

Stack stacked(std::vector<Placed> planes, const std::string& who) {
  Stack s{.planes = std::move(planes)};
  const auto heights = find_slices(s);
  s.slices = int64_t(heights.size());
  check_complete(s, heights, who);
  s.channels = int64_t(s.planes.size()) / s.slices;
  if (s.slices > 1) check_even(heights, who);
  set_geometry(s, who, 0);
  if (s.channels > 1) find_channels(s, who);
  return s;
}

Stack stacked_with_gaps(std::vector<Placed> planes, const std::string& who) {
  Stack s{.planes = std::move(planes)};
  const auto heights = find_slices(s);
  double step = s.planes[0].plane.between, least = 0;
  for (size_t i = 1; i < heights.size(); ++i) least = i == 1 ? heights[1] - heights[0] : std::min(least, heights[i] - heights[i - 1]);
  if (step == 0 || (least > 0 && least < step * (1 - kUneven))) step = least > 0 ? least : s.planes[0].plane.thickness;
  if (step == 0) step = 1;
  // The step that the ends give, near the one that is said.
  const double whole = std::round((heights.back() - heights[0]) / step);
  check(whole < double(int64_t(1) << 20), who, ": its planes lie too far apart for a volume");
  if (whole >= 1) step = (heights.back() - heights[0]) / whole;
  for (Placed& p : s.planes) {
    const double at = (heights[size_t(p.slice)] - heights[0]) / step;
    check(std::abs(at - std::round(at)) <= kUneven, who, ": its planes do not lie on one grid of slices ", step, " mm apart");
    p.slice = int64_t(std::round(at));
  }
  s.slices = int64_t(whole) + 1;
  set_geometry(s, who, step);
  return s;
}

}  // namespace voxgrad::dicom
