// Headers of NRRD files (teem.sourceforge.net/nrrd/format.html).
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "io/formats/nrrd/nrrd_header.h"
#include "io/formats/length_names.h"
#include "io/formats/text_fields.h"

namespace voxgrad {

namespace {
constexpr int kMostAxes = 16, kMostLines = 10000;

Stored stored_of(const std::string& type, const std::string& who) {
  static const std::map<std::string, Stored> names = {{"signed char", Stored::i8},
                                                      {"int8", Stored::i8},
                                                      {"int8_t", Stored::i8},
                                                      {"uchar", Stored::u8},
                                                      {"unsigned char", Stored::u8},
                                                      {"uint8", Stored::u8},
                                                      {"uint8_t", Stored::u8},
                                                      {"short", Stored::i16},
                                                      {"short int", Stored::i16},
                                                      {"signed short", Stored::i16},
                                                      {"signed short int", Stored::i16},
                                                      {"int16", Stored::i16},
                                                      {"int16_t", Stored::i16},
                                                      {"ushort", Stored::u16},
                                                      {"unsigned short", Stored::u16},
                                                      {"unsigned short int", Stored::u16},
                                                      {"uint16", Stored::u16},
                                                      {"uint16_t", Stored::u16},
                                                      {"int", Stored::i32},
                                                      {"signed int", Stored::i32},
                                                      {"int32", Stored::i32},
                                                      {"int32_t", Stored::i32},
                                                      {"uint", Stored::u32},
                                                      {"unsigned int", Stored::u32},
                                                      {"uint32", Stored::u32},
                                                      {"uint32_t", Stored::u32},
                                                      {"longlong", Stored::i64},
                                                      {"long long", Stored::i64},
                                                      {"long long int", Stored::i64},
                                                      {"signed long long", Stored::i64},
                                                      {"signed long long int", Stored::i64},
                                                      {"int64", Stored::i64},
                                                      {"int64_t", Stored::i64},
                                                      {"ulonglong", Stored::u64},
                                                      {"unsigned long long", Stored::u64},
                                                      {"unsigned long long int", Stored::u64},
                                                      {"uint64", Stored::u64},
                                                      {"uint64_t", Stored::u64},
                                                      {"float", Stored::f32},
                                                      {"double", Stored::f64}};
  const auto found = names.find(type);
  check(found != names.end(), who, ": its NRRD type \"", type, "\" is not one that is read");
  return found->second;
}

// "(1,0,0) none (0,1,0)": one vector, or none, per axis.
using Direction = std::optional<std::vector<double>>;
std::vector<Direction> directions(std::string_view text, const std::string& what) {
  std::vector<Direction> out;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    if (text.starts_with("none")) {
      out.emplace_back();
      text.remove_prefix(4);
      continue;
    }
    const size_t end = text.find(')');
    check(text.front() == '(' && end != text.npos, what, " is \"", text.substr(0, 40), "\", wanted vectors such as (1,0,0)");
    std::string inside(text.substr(1, end - 1));
    std::replace(inside.begin(), inside.end(), ',', ' ');
    out.emplace_back(numbers<double>(inside, what));
    if (std::all_of(out.back()->begin(), out.back()->end(), [](double v) { return std::isnan(v); })) out.back().reset();
    text.remove_prefix(end + 1);
  }
  return out;
}

// Signs that bring a space to LPS+.
std::array<double, 3> to_lps(std::string space, const std::string& who) {
  space = lower(space);
  if (space == "left-posterior-superior" || space == "lps" || space.empty() || space == "scanner-xyz" || space == "3d-right-handed")
    return {1, 1, 1};
  if (space == "right-anterior-superior" || space == "ras") return {-1, -1, 1};
  if (space == "left-anterior-superior" || space == "las") return {1, -1, 1};
  fail(who, ": its space \"", space, "\" is not one that is read");
}

// "mm" "mm" "mm": what is not known is taken to be mm, of which `warning` tells.
std::vector<NamedLength> units(const std::string& text, std::string& warning) {
  std::vector<NamedLength> out;
  for (size_t at = text.find('"'), end; at != text.npos && (end = text.find('"', at + 1)) != text.npos; at = text.find('"', end + 1)) {
    const std::string name = text.substr(at + 1, end - at - 1);
    out.push_back(length_named(name));
    if (out.back().mm > 0) continue;
    out.back().mm = 1;
    if (!name.empty()) warning = "its unit \"" + name + "\" is no length that is known; mm is assumed";
  }
  return out;
}

// Along one axis without a direction: the size of its voxels, where it is known, and the place of the first one.
struct AxisExtent {
  std::optional<double> step, first;
};
AxisExtent extent_of(const std::map<std::string, std::string>& fields, size_t axis, int64_t size, const std::string& who) {
  const auto value = [&](std::initializer_list<const char*> names) -> std::optional<double> {
    for (const char* name : names)
      if (const auto f = fields.find(name); f != fields.end())
        if (const auto all = words(f->second); axis < all.size() && lower(all[axis]) != "nan")
          return number<double>(all[axis], who + ": \"" + name + "\"");
    return {};
  };
  const auto low = value({"axis mins", "axismins"}), high = value({"axis maxs", "axismaxs"});
  const auto found = std::find_if(fields.begin(), fields.end(), [](auto& f) { return f.first == "centers" || f.first == "centerings"; });
  const auto centers = found == fields.end() ? std::vector<std::string_view>() : words(found->second);
  const bool node = axis < centers.size() && lower(centers[axis]) == "node";
  AxisExtent out{.step = value({"spacings"}), .first = {}};
  if (!out.step && low && high && size > (node ? 1 : 0)) out.step = (*high - *low) / double(node ? size - 1 : size);
  if (low) out.first = *low + (node ? 0 : out.step.value_or(1) / 2);
  return out;
}

// Which axes are space and which are channels, and the geometry of the former.
void set_axes(NrrdHeader& h, const std::map<std::string, std::string>& fields, const std::string& who) {
  const auto field = [&](const char* name) {
    const auto f = fields.find(name);
    return f == fields.end() ? std::string() : f->second;
  };
  const auto axes = number<int>(field("dimension"), who + ": \"dimension\"");
  check(axes >= 1 && axes <= kMostAxes, who, ": the header announces ", axes, " axes, 1 to ", kMostAxes, " are possible");
  const auto sizes = numbers<int64_t>(field("sizes"), who + ": \"sizes\"");
  check(int(sizes.size()) == axes, who, ": \"sizes\" has ", sizes.size(), " numbers for ", axes, " axes");
  std::vector<bool> spatial(size_t(axes), true);
  auto vectors = directions(field("space directions"), who + ": \"space directions\"");
  check(vectors.empty() || int(vectors.size()) == axes, who, ": \"space directions\" has ", vectors.size(), " vectors for ", axes, " axes");
  for (size_t a = 0; a < vectors.size(); ++a) spatial[a] = vectors[a].has_value();
  if (vectors.empty()) {
    const auto kinds = words(fields.contains("kinds") ? std::string_view(fields.at("kinds")) : std::string_view());
    for (size_t a = 0; a < kinds.size() && a < spatial.size(); ++a) {
      const std::string kind = lower(kinds[a]);
      spatial[a] = kind == "domain" || kind == "space" || kind == "???" || kind == "none";
    }
  }
  int space_axes = 0, first = axes, last = -1;
  for (int a = 0; a < axes; ++a) {
    if (!spatial[size_t(a)]) continue;
    // Without directions, a fourth axis is one of channels.
    if (++space_axes > 3) spatial[size_t(a)] = false;
    else first = std::min(first, a), last = a;
  }
  check(space_axes > 0, who, ": has no axis in space");
  std::string ignored;  // of axes that may be times
  const auto own = units(field("units"), ignored);
  const auto sign = to_lps(field("space"), who);
  LpsGeometry g;
  int64_t inner = 1, outer = 1;
  for (int a = 0, c = 0; a < axes; ++a) {
    const int64_t size = sizes[size_t(a)];
    check(size >= 1, who, ": the header announces ", size, " elements along axis ", a + 1);
    if (spatial[size_t(a)]) {
      h.layout.size[2 - c] = size;
      if (!vectors.empty()) {
        const auto& v = *vectors[size_t(a)];
        check(v.size() == 3 || (v.size() < 3 && !v.empty()), who, ": a space direction has ", v.size(), " components, wanted 3");
        for (size_t r = 0; r < 3; ++r) g.axis[c][r] = r < v.size() ? sign[r] * v[r] : 0;
      } else if (const AxisExtent e = extent_of(fields, size_t(a), size, who); e.step || e.first) {
        const NamedLength unit = size_t(a) < own.size() ? own[size_t(a)] : NamedLength{.mm = 1};
        h.unit = unit.kept;
        if (e.step) g.axis[c][c] = *e.step * unit.mm;
        if (e.first) g.origin[c] = *e.first * unit.mm;
      }
      ++c;
      continue;
    }
    check(a < first || a > last || size == 1, who, ": channels between the axes of space are not read");
    check(!__builtin_mul_overflow(a < first ? inner : outer, size, a < first ? &inner : &outer), who,
          ": the header announces an impossible size");
  }
  check(inner == 1 || outer == 1, who, ": channels both before and after the axes of space are not read");
  h.layout.channels = inner * outer, h.layout.planar = outer > 1;
  const auto origin = directions(field("space origin"), who + ": \"space origin\"");
  if (!origin.empty() && origin[0])
    for (size_t r = 0; r < 3 && r < origin[0]->size(); ++r) g.origin[r] = sign[r] * (*origin[0])[r];
  const auto world = units(field("space units"), h.warning);
  for (size_t r = 0; r < 3 && r < world.size(); ++r) {
    h.unit = world[r].kept;
    g.origin[r] *= world[r].mm;
    for (auto& axis : g.axis) axis[r] *= world[r].mm;
  }
  h.affine = affine_from_lps(g);
  check(h.affine.is_valid(), who, ": its space directions are not finite or not independent");
}

}  // namespace

NrrdHeader parse_nrrd(ByteSource& source) {
  const std::string& who = source.name();
  std::string line;
  check(source.read_line(line) && line.starts_with("NRRD000"), who, ": its first line is no NRRD signature");
  std::map<std::string, std::string> fields;
  bool names_list = false;  // then the lines behind are names of files
  for (int count = 0; !names_list && source.read_line(line) && !line.empty(); ++count) {
    check(count < kMostLines, who, ": its header has more than ", kMostLines, " lines");
    const size_t colon = line.find(": "), key_value = line.find(":=");
    if (line[0] == '#' || colon == line.npos || key_value < colon) continue;
    const std::string name = lower(line.substr(0, colon));
    check(fields.emplace(name, trimmed(std::string_view(line).substr(colon + 2))).second, who, ": its header has \"", name, "\" twice");
    names_list = (name == "data file" || name == "datafile") && trimmed(std::string_view(line).substr(colon + 2)).starts_with("LIST");
  }
  const auto field = [&](const char* name, const char* other) {
    return fields.contains(name) ? fields[name] : fields.contains(other) ? fields[other] : std::string();
  };
  NrrdHeader h;
  h.layout.format = "NRRD";
  h.layout.stored = stored_of(lower(field("type", "type")), who);
  set_axes(h, fields, who);
  h.encoding = lower(field("encoding", "encoding"));
  h.data_file = field("data file", "datafile");
  const std::string line_skip = field("line skip", "lineskip"), byte_skip = field("byte skip", "byteskip");
  if (!line_skip.empty()) h.line_skip = number<int64_t>(line_skip, who + ": \"line skip\"");
  if (!byte_skip.empty()) h.byte_skip = number<int64_t>(byte_skip, who + ": \"byte skip\"");
  check(h.line_skip >= 0 && h.byte_skip >= -1, who, ": skips ", h.line_skip, " lines and ", h.byte_skip, " bytes, which is not possible");
  check(h.encoding == "raw" || h.encoding == "gzip" || h.encoding == "gz" || h.encoding == "ascii" || h.encoding == "text" ||
            h.encoding == "txt",
        who, ": its encoding \"", h.encoding, "\" is not one that is read (raw, gzip, ascii); save it as gzip, as unu save -e gzip does");
  const std::string endian = lower(field("endian", "endian"));
  h.layout.swapped = endian == "big";
  check(endian == "big" || endian == "little" || size_of(h.layout.stored) == 1 || h.encoding[0] == 'a' || h.encoding[0] == 't', who,
        ": does not say which byte order it has");
  h.layout.validate(who);
  return h;
}

}  // namespace voxgrad
