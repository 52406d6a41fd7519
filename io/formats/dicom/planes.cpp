#include "io/formats/dicom/planes.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "io/formats/dicom/frame_fields.h"

namespace voxgrad::dicom {
namespace {
constexpr int64_t kMostFrames = int64_t(1) << 18;

double positive(const std::optional<double>& v) { return v && *v > 0 ? *v : 0; }

bool is_finite_direction(const Vec3& v) { return std::abs(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] - 1) < 0.02; }

// Place, size and rescaling of one frame.
Plane plane_of(const FrameFields& f, const DicomFile& file, bool& spaced) {
  Plane p;
  const auto at = f.numbers(tag::position), along = f.numbers(tag::orientation);
  if (along.size() == 6) {
    for (size_t i = 0; i < 3; ++i) p.row[i] = along[i], p.column[i] = along[3 + i];
    const double dot = p.row[0] * p.column[0] + p.row[1] * p.column[1] + p.row[2] * p.column[2];
    check(is_finite_direction(p.row) && is_finite_direction(p.column) && std::abs(dot) < 0.02, file.who(),
          ": its ImageOrientationPatient (0020,0037) holds no two unit vectors at right angles");
  }
  if (at.size() == 3)
    for (size_t i = 0; i < 3; ++i) p.position[i] = at[i];
  for (const double mm : p.position) check(std::abs(mm) < 1e9, file.who(), ": its ImagePositionPatient (0020,0032) is ", mm, " mm");
  p.placed = at.size() == 3 && along.size() == 6;
  for (const uint32_t t : {tag::pixel_spacing, 0x00181164u, 0x00182010u})
    if (const auto mm = f.numbers(t); mm.size() == 2 && mm[0] > 0 && mm[1] > 0 && !spaced) p.spacing = {mm[0], mm[1]}, spaced = true;
  p.thickness = positive(f.number(tag::slice_thickness));
  const auto between = f.number(tag::between_slices);
  p.between = between ? std::abs(*between) : 0;
  p.slope = f.number(tag::slope).value_or(1), p.intercept = f.number(tag::intercept).value_or(0);
  if (const auto dose = f.number(0x3004000e)) p.slope = *dose;
  check(std::abs(p.slope) > 0 && std::abs(p.slope) < 1e30 && std::abs(p.intercept) < 1e30, file.who(), ": its RescaleSlope (0028,1053) is ",
        p.slope, " and its RescaleIntercept (0028,1052) ", p.intercept, ", which give values no meaning");
  p.stack = f.text(0x00209056);
  return p;
}

// DimensionIndexValues without those that say where a plane lies (stack, position) or what else is a key.
KeyValue other_dimensions(const FrameFields& f, const DataSet& own) {
  const auto values = f.numbers(0x00209157, "UL");
  KeyValue out;
  const auto pointers = own.items(0x00209222);
  for (size_t i = 0; i < pointers.size() && i < values.size(); ++i) {
    const auto to = uint32_t(pointers[i].number(0x00209165, "AT").value_or(0));
    if (to != 0x00209056 && to != 0x00209057 && to != tag::position && to != 0x0062000b && to != 0x0020930c)
      out.numbers.push_back(values[i]);
  }
  return out;
}

// Entries of 8 or 16 bits; the descriptor is their number (0: 65536), the first value that is mapped, their bits (PS3.3 C.11.1.1).
Object::Table table_of(const DataSet& d, uint32_t descriptor, uint32_t data, const std::string& who) {
  const auto about = d.numbers(descriptor, "US");
  check(about.size() == 3, who, ": its look-up table ", name_of(descriptor), " has ", about.size(), " numbers, wanted 3");
  const auto entries = size_t(about[0] == 0 ? 65536 : about[0]);
  Object::Table t{.first = about[1], .bits = int(about[2])};
  const Element* e = d.find(data);
  const size_t held = e ? e->value.size() : 0;
  check(held >= entries && (t.bits == 8 || (t.bits <= 16 && held >= 2 * entries)), who, ": its look-up table ", name_of(data), " has ",
        held, " bytes for ", entries, " entries of ", t.bits, " bits");
  const int size = held >= 2 * entries ? 2 : 1;
  const bool big = d.encoding() == Encoding::explicit_big;
  for (size_t i = 0; i < entries; ++i) t.values.push_back(double(unsigned_at(e->value.data() + i * size_t(size), size, big)));
  // Some say 8 bits of entries that have more.
  const auto largest = uint64_t(*std::max_element(t.values.begin(), t.values.end()));
  t.bits = std::max(t.bits, int(std::bit_width(largest)));
  return t;
}

// Planes of an object whose frames have no groups of their own: one after the other along the normal (nuclear medicine, dose), or in time.
void spread(Object& o, const DicomFile& f, bool placed) {
  const auto offsets = f.data.numbers(0x3004000c);
  const bool dose = offsets.size() == o.planes.size();
  const auto frame_time = f.data.number(0x00181063), rate = f.data.number(0x00180040, "IS");
  const bool cine = !placed && !dose && (frame_time || rate || f.data.has(0x00181065));
  const double signed_between = f.data.number(tag::between_slices).value_or(0);
  double step = signed_between != 0 ? signed_between : o.planes[0].thickness;
  if (step == 0 && !cine && !dose && o.planes.size() > 1) {
    step = 1;
    o.warning = "its frames say nothing of the distance between them; 1 mm is assumed";
  }
  const Plane first = o.planes[0];
  const Vec3 normal = cross(first.row, first.column);
  for (size_t k = 0; k < o.planes.size(); ++k) {
    Plane& p = o.planes[k];
    const double along = cine ? 0 : dose ? offsets[k] - offsets[0] : step * double(k);
    for (size_t r = 0; r < 3; ++r) p.position[r] = first.position[r] + along * normal[r];
    p.placed = placed || o.planes.size() > 1;
    if (cine) p.keys[size_t(Key::temporal_index)] = {{double(k) + 1}};
    else p.keys = {}, p.order = {};
  }
}
}  // namespace

double Object::Table::operator()(double v) const {
  const double at = std::min(std::max(v - first, 0.0), double(values.size() - 1));
  return values[size_t(at)];
}

Vec3 cross(const Vec3& a, const Vec3& b) { return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]}; }
Vec3 unit(const Vec3& v) {
  const double length = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  return {v[0] / length, v[1] / length, v[2] / length};
}

namespace {
// The most that a compression is believed to reach; of run lengths and deflate it is what they can.
uint64_t most_compression(const std::string& syntax) {
  if (syntax == "1.2.840.10008.1.2.5") return 64;
  if (syntax == "1.2.840.10008.1.2.8.1") return 1032;
  return syntax == "1.2.840.10008.1.2.1.98" ? 1 : 100000;
}

// Holds what is announced against the bytes of the voxels, before memory is asked for.
void check_held(const PixelFormat& p, const DicomFile& f) {
  const Element& e = *f.pixels();
  const uint64_t bits = uint64_t(p.rows) * uint64_t(p.columns) * uint64_t(p.allocated) * uint64_t(p.samples) * uint64_t(p.frames);
  const uint64_t wanted = (p.photometric == "YBR_FULL_422" ? bits / 3 * 2 : bits) / 8;  // where two voxels share their colours
  if (e.undefined) {
    const uint64_t parts = fragments(*f.source, e).size();
    check(parts > uint64_t(p.frames), f.who(), ": is cut off or malformed: it announces ", p.frames, " frames but holds ",
          parts ? parts - 1 : 0, " compressed parts");
  }
  const uint64_t most = e.undefined ? most_compression(p.syntax) : 1;
  check(wanted / most <= e.value.size(), f.who(), ": is cut off or malformed: ", p.frames, " frames of ", p.columns, " x ", p.rows,
        " voxels need ", (bits + 7) / 8, " bytes, it holds ", e.value.size(), e.undefined ? " compressed ones" : "");
#ifndef VOXGRAD_WITH_ITK
  check(!e.undefined || most < 100000, f.who(),
        ": its voxels are compressed by JPEG or one of its kin; this build of voxgrad has no ITK, "
        "which decodes them");
#endif
}
}  // namespace

PixelFormat pixel_format(const DicomFile& f) {
  const DataSet& d = f.data;
  PixelFormat p{.rows = d.whole(tag::rows, 1, 65535), .columns = d.whole(tag::columns, 1, 65535)};
  p.samples = d.whole_or(tag::samples, 1, 1, 4);
  p.frames = d.whole_or(tag::frames, 1, 1, kMostFrames, "IS");
  p.is_float = !d.has(tag::pixels);
  p.allocated = p.is_float ? (d.has(tag::float_pixels) ? 32 : 64) : int(d.whole(tag::bits_allocated, 1, 32));
  p.stored = int(d.whole_or(tag::bits_stored, p.allocated, 1, p.allocated));
  p.high = int(d.whole_or(tag::high_bit, p.stored - 1, 0, p.allocated - 1));
  p.is_signed = !p.is_float && d.whole_or(tag::is_signed, 0, 0, 1) == 1;
  p.photometric = d.text(tag::photometric);
  p.by_plane = p.samples > 1 && d.whole_or(tag::planar, 0, 0, 1) == 1;
  p.syntax = f.syntax;
  p.big = d.encoding() == Encoding::explicit_big;
  check(p.allocated == 1 || p.allocated % 8 == 0, f.who(), ": its voxels have ", p.allocated, " bits, 1, 8, 16, 32 are read");
  check(p.allocated != 24, f.who(), ": its voxels have 24 bits, 1, 8, 16, 32 are read");
  check(p.high + 1 >= p.stored, f.who(), ": BitsStored is ", p.stored, " but HighBit ", p.high);
  check(p.samples == 1 || p.samples == 3, f.who(), ": its voxels have ", p.samples, " samples, 1 and 3 are read");
  check(!d.has(0x00480006), f.who(), ": is a whole-slide image of tiles, which is no volume; export the level that is wanted as TIFF");
  check(!p.syntax.starts_with("1.2.840.10008.1.2.4.10"), f.who(),
        ": is a video (MPEG), which is not read; export its frames as images, for example with ffmpeg");
  check(p.syntax != "1.2.840.10008.1.2.4.94" && p.syntax != "1.2.840.10008.1.2.4.95", f.who(),
        ": has its voxels on a server (JPIP), not in the file; retrieve it in another transfer syntax");
  check_held(p, f);
  return p;
}

Object describe_object(const DicomFile& f) {
  const DataSet& d = f.data;
  if (!f.pixels()) refuse_without_pixels(f);
  Object o{.path = f.path, .format = pixel_format(f)};
  o.kind = f.sop_class() == "1.2.840.10008.5.1.4.1.1.66.4" || f.sop_class() == "1.2.840.10008.5.1.4.1.1.66.7" || d.has(0x00620001)
               ? ObjectKind::segmentation
               : ObjectKind::image;
  o.instance = d.text(tag::sop_instance), o.series = d.text(tag::series_instance), o.description = d.text(tag::series_description);
  o.modality = d.text(tag::modality), o.number = d.text(tag::series_number);
  o.rows = o.format.rows, o.columns = o.format.columns;
  if (const auto tables = d.items(tag::modality_table); !tables.empty())
    o.modality_table = table_of(tables[0], tag::table_descriptor, tag::table_data, f.who());
  for (uint32_t c = 0; o.format.has_palette() && d.has(0x00281201) && c < 3; ++c)
    o.palette[c] = table_of(d, 0x00281101 + c, 0x00281201 + c, f.who());
  const auto shared = d.items(tag::shared_groups), own = d.items(tag::frame_groups);
  const auto detectors = d.items(0x00540022);  // of nuclear medicine, which has the place of its volumes there
  check(own.empty() || int64_t(own.size()) == o.format.frames, f.who(), ": has ", o.format.frames, " frames but functional groups of ",
        own.size());
  bool spaced = true, all_placed = true;
  for (int64_t k = 0; k < o.format.frames; ++k) {
    if (k > 0 && own.empty()) {
      o.planes.push_back(o.planes[0]);
      o.planes.back().frame = k;
      continue;
    }
    std::vector<const DataSet*> groups;
    if (!own.empty()) groups.push_back(&own[size_t(k)]);
    if (!shared.empty()) groups.push_back(&shared[0]);
    if (!detectors.empty()) groups.push_back(&detectors[0]);
    const FrameFields fields(d, groups);
    bool has_spacing = false;
    Plane p = plane_of(fields, f, has_spacing);
    p.frame = k;
    read_keys(fields, d, p);
    p.keys[size_t(Key::dimension)] = other_dimensions(fields, d);
    spaced = spaced && has_spacing, all_placed = all_placed && p.placed;
    o.planes.push_back(std::move(p));
  }
  if (!spaced) o.warning = "it says nothing of the distance between its pixels; 1 mm is assumed";
  if (!own.empty() && !all_placed)
    for (const Plane& p : o.planes)
      check(!p.placed, f.who(), ": some of its frames have a position and an orientation in space and some have none");
  if (split_mosaic(f, o)) return o;
  const bool mask = o.kind == ObjectKind::segmentation;  // of pictures without a place
  if (o.format.frames > 1 && !mask && (own.empty() || !all_placed)) spread(o, f, all_placed);
  return o;
}

}  // namespace voxgrad::dicom
