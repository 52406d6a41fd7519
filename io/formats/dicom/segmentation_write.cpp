// Segmentation objects, written: PS3.3 A.51, BINARY, with everything that standard requires of one.
#include <algorithm>
#include <cmath>
#include <map>

#include "io/atomic_file.h"
#include "io/formats/dicom/element_writer.h"
#include "io/formats/dicom/series.h"

namespace voxgrad {
namespace {
using namespace dicom;
namespace fs = std::filesystem;

constexpr const char* kClass = "1.2.840.10008.5.1.4.1.1.66.4";
constexpr const char* kExplicitLittle = "1.2.840.10008.1.2.1";
constexpr uint64_t kMostBytes = 0xfffffffe;

// What is taken over from the images, by tag; empty strings where there are none.
struct Origin {
  std::map<uint32_t, std::string> texts = {};
  struct Instance {
    std::string sop_class, uid;
    std::vector<Plane> planes;
  };
  std::vector<Instance> instances = {};
  std::string of(uint32_t tag, const std::string& otherwise = {}) const {
    const auto at = texts.find(tag);
    return at == texts.end() || at->second.empty() ? otherwise : at->second;
  }
};

Origin origin_of(const DicomSegmentation& o) {
  Origin out;
  if (o.source.empty()) return out;
  const Series s = choose_series(o.source, {.series = o.series});
  for (const Object& object : s.objects) {
    const DicomFile f = open_dicom(object.path);
    out.instances.push_back({f.sop_class(), object.instance, object.planes});
    if (out.instances.size() > 1) continue;
    for (const uint32_t tag : {0x00080020u, 0x00080030u, 0x00080050u, 0x00080090u, 0x00100010u, 0x00100020u, 0x00100030u, 0x00100040u,
                               0x0020000du, 0x0020000eu, 0x00200010u, 0x00200052u, 0x00201040u, 0x00080005u})
      out.texts[tag] = f.data.text(tag);
  }
  return out;
}

std::string code_item(const char* value, const char* meaning, const char* scheme = "SCT") {
  Elements e;
  e.text(0x00080100, "SH", value), e.text(0x00080102, "SH", scheme), e.text(0x00080104, "LO", meaning);
  return e.str();
}

std::string segment_item(int number, const std::string& name) {
  Elements e;
  e.sequence(0x00620003, {code_item("123037004", "Anatomical Structure")});
  e.number(0x00620004, number);
  std::string label = name.substr(0, 64);
  std::replace(label.begin(), label.end(), '\\', '/');  // which would separate two
  e.text(0x00620005, "LO", label);
  e.text(0x00620008, "CS", "AUTOMATIC"), e.text(0x00620009, "LO", "voxgrad");
  e.sequence(0x0062000f, {code_item("85756007", "Tissue")});
  return e.str();
}

std::string dimension_item(const std::string& organization, uint32_t pointer, uint32_t group, const char* label) {
  Elements e;
  e.text(0x00209164, "UI", organization), e.pointer(0x00209165, pointer), e.pointer(0x00209167, group), e.text(0x00209421, "LO", label);
  return e.str();
}

std::string item_of(uint32_t tag, const char* vr, const std::string& text) {
  Elements e;
  e.text(tag, vr, text);
  return e.str();
}

struct Frame {
  int segment;
  int64_t slice;
};

// The image that a frame was drawn on: that with a plane at its place; empty where there is none.
std::string derivation_item(const Origin& from, const double (&at)[3], double step) {
  const Origin::Instance* nearest = nullptr;
  const Plane* plane = nullptr;
  double least = step / 2;
  for (const Origin::Instance& i : from.instances)
    for (const Plane& p : i.planes)
      if (const double d = std::hypot(p.position[0] - at[0], p.position[1] - at[1], p.position[2] - at[2]); p.placed && d < least)
        least = d, nearest = &i, plane = &p;
  if (!nearest) return {};
  Elements source, e;
  source.text(0x00081150, "UI", nearest->sop_class), source.text(0x00081155, "UI", nearest->uid);
  if (nearest->planes.size() > 1 && plane->tile < 0) source.text(0x00081160, "IS", std::to_string(plane->frame + 1));
  source.sequence(0x0040a170, {code_item("121322", "Source image for image processing operation", "DCM")});
  e.sequence(0x00082112, {source.str()});
  e.sequence(0x00089215, {code_item("113076", "Segmentation", "DCM")});
  return e.str();
}

std::string frame_item(const Frame& f, const LpsGeometry& g, const Origin& from) {
  Elements content, segment, e;
  content.numbers(0x00209157, "UL", {uint32_t(f.segment), uint32_t(f.slice) + 1});
  segment.number(0x0062000b, f.segment);
  double at[3];
  for (int r = 0; r < 3; ++r) at[r] = g.origin[r] + double(f.slice) * g.axis[2][r];
  const double step = std::hypot(g.axis[2][0], g.axis[2][1], g.axis[2][2]);
  if (const std::string derived = derivation_item(from, at, step); !derived.empty()) e.sequence(0x00089124, {derived});
  e.sequence(0x00209111, {content.str()});
  e.sequence(0x00209113, {item_of(0x00200032, "DS", decimals({at[0], at[1], at[2]}))});
  e.sequence(0x0062000a, {segment.str()});
  return e.str();
}

// Position in the plane, distance of slices along their normal.
std::string shared_item(const LpsGeometry& g, const Vec3& spacing) {
  Vec3 row, column, along;
  for (size_t r = 0; r < 3; ++r) row[r] = g.axis[0][r] / spacing[2], column[r] = g.axis[1][r] / spacing[1], along[r] = g.axis[2][r];
  const Vec3 n = unit(cross(row, column));
  const double between = std::abs(n[0] * along[0] + n[1] * along[1] + n[2] * along[2]);
  Elements measures, e;
  measures.text(0x00180050, "DS", decimal(between)), measures.text(0x00180088, "DS", decimal(between));
  measures.text(0x00280030, "DS", decimals({spacing[1], spacing[2]}));
  e.sequence(0x00209116, {item_of(0x00200037, "DS", decimals({row[0], row[1], row[2], column[0], column[1], column[2]}))});
  e.sequence(0x00289110, {measures.str()});
  return e.str();
}

// Which segments have a voxel in which slice; the first one has the outermost slices too.
std::vector<Frame> frames_of(const std::vector<int>& labels, const Shape& s, std::map<int, std::string>& segments) {
  std::map<int, std::vector<bool>> in;
  const int64_t plane = s[1] * s[2];
  for (int64_t i = 0; i < int64_t(labels.size()); ++i)
    if (const int l = labels[size_t(i)]) {
      auto& slices = in[l];
      if (slices.empty()) slices.resize(size_t(s[0]));
      slices[size_t(i / plane)] = true;
    }
  if (in.empty()) in[1].resize(size_t(s[0]));
  in.begin()->second.front() = in.begin()->second.back() = true;
  std::vector<Frame> out;
  for (int segment = 1; segment <= in.rbegin()->first; ++segment) segments[segment];  // numbers without a gap are wanted
  for (const auto& [segment, slices] : in) {
    for (int64_t d = 0; d < s[0]; ++d)
      if (slices[size_t(d)]) out.push_back({segment, d});
  }
  return out;
}

std::vector<int> labels_of(const fs::path& path, const Tensor& given) {
  const Tensor t = given.detach().to(Device{});
  std::vector<int> out(size_t(t.count()));
  on_any_dtype(t.dtype(), [&]<class T>() {
    const T* x = t.view().as<T>();
    for (size_t i = 0; i < out.size(); ++i) {
      const auto v = double(x[i]);
      check(v >= 0 && v <= 65535 && v == std::floor(v), "cannot write ", path.string(), ": the value ", v,
            " is no label from 0 to 65535; as .dcm masks are written, an image becomes a series of DICOM files: give a folder");
      out[i] = int(v);
    }
  });
  return out;
}

std::string packed(const std::vector<int>& labels, const std::vector<Frame>& frames, int64_t plane) {
  std::string bits((frames.size() * size_t(plane) + 7) / 8, '\0');
  size_t bit = 0;
  for (const Frame& f : frames)
    for (int64_t i = 0; i < plane; ++i, ++bit)
      if (labels[size_t(f.slice * plane + i)] == f.segment) bits[bit / 8] = char(bits[bit / 8] | 1 << bit % 8);
  return bits;
}
}  // namespace

void write_segmentation(const fs::path& path, const Volume& volume, const DicomSegmentation& options) {
  const std::string who = "cannot write " + path.string();
  check(bool(volume.data) && volume.affine.is_valid(), who, ": the volume has no data or its affine is not invertible");
  const Shape& s = volume.data.shape();
  check(s.count() > 0 && (s.rank == 3 || (s.rank == 4 && s[3] == 1)), who, ": ", volume.data,
        ", a mask of {D, H, W} or {D, H, W, 1} is wanted");
  check(s[1] <= 0xffff && s[2] <= 0xffff, who, ": slices of ", s[1], " x ", s[2], ", 65535 is the most");
  const LpsGeometry g = lps_of(volume.affine);
  const Vec3 spacing = volume.affine.spacing();
  double skew = 0;
  for (int r = 0; r < 3; ++r) skew += g.axis[0][r] * g.axis[1][r] / (spacing[1] * spacing[2]);
  check(std::abs(skew) < 1e-4, who, ": its rows and columns are not at right angles, which DICOM cannot say");
  const std::vector<int> labels = labels_of(path, volume.data);
  std::map<int, std::string> segments;
  const std::vector<Frame> frames = frames_of(labels, s, segments);
  const std::string bits = packed(labels, frames, s[1] * s[2]);
  check(bits.size() <= kMostBytes, who, ": ", bits.size(), " bytes of voxels are more than one DICOM file holds");
  for (auto& [value, name] : segments)
    name = size_t(value) < options.labels.size() ? options.labels[size_t(value)] : "label " + std::to_string(value);

  const Origin from = origin_of(options);
  uint64_t content = hash(bits.data(), bits.size());
  for (auto& row : volume.affine.m) content = hash(row.data(), sizeof row, content);
  for (auto& [value, name] : segments) content = hash(name.data(), name.size(), hash(&value, sizeof value, content));
  for (auto& [tag, text] : from.texts) content = hash(text.data(), text.size(), content);
  const std::string instance = own_uid(content, 16), organization = own_uid(content, 4);
  const std::string date = from.of(0x00080020, "19700101"), time = from.of(0x00080030, "000000");

  Elements e;
  if (const std::string set = from.of(0x00080005); !set.empty()) e.text(0x00080005, "CS", set);
  e.text(0x00080008, "CS", "DERIVED\\PRIMARY");
  e.text(0x00080016, "UI", kClass), e.text(0x00080018, "UI", instance);
  e.text(0x00080020, "DA", from.of(0x00080020)), e.text(0x00080023, "DA", date);
  e.text(0x00080030, "TM", from.of(0x00080030)), e.text(0x00080033, "TM", time);
  e.text(0x00080050, "SH", from.of(0x00080050)), e.text(0x00080060, "CS", "SEG"), e.text(0x00080070, "LO", "voxgrad");
  e.text(0x00080090, "PN", from.of(0x00080090)), e.text(0x0008103e, "LO", "segmentation"), e.text(0x00081090, "LO", "voxgrad");
  if (!from.instances.empty()) {
    std::vector<std::string> referenced;
    for (const Origin::Instance& i : from.instances) {
      Elements r;
      r.text(0x00081150, "UI", i.sop_class), r.text(0x00081155, "UI", i.uid);
      referenced.push_back(r.str());
    }
    Elements series;
    series.sequence(0x0008114a, referenced), series.text(0x0020000e, "UI", from.of(0x0020000e));
    e.sequence(0x00081115, {series.str()});
  }
  e.text(0x00100010, "PN", from.of(0x00100010, "anonymous")), e.text(0x00100020, "LO", from.of(0x00100020, "anonymous"));
  e.text(0x00100030, "DA", from.of(0x00100030)), e.text(0x00100040, "CS", from.of(0x00100040));
  e.text(0x00181000, "LO", "0"), e.text(0x00181020, "LO", "1");
  e.text(0x0020000d, "UI", from.of(0x0020000d, own_uid(content, 1))), e.text(0x0020000e, "UI", own_uid(content, 2));
  e.text(0x00200010, "SH", from.of(0x00200010)), e.text(0x00200011, "IS", "1"), e.text(0x00200013, "IS", "1");
  e.text(0x00200052, "UI", from.of(0x00200052, own_uid(content, 3))), e.text(0x00201040, "LO", from.of(0x00201040));
  e.sequence(0x00209221, {item_of(0x00209164, "UI", organization)});
  e.sequence(0x00209222, {dimension_item(organization, 0x0062000b, 0x0062000a, "ReferencedSegmentNumber"),
                          dimension_item(organization, 0x00200032, 0x00209113, "ImagePositionPatient")});
  e.number(0x00280002, 1), e.text(0x00280004, "CS", "MONOCHROME2"), e.text(0x00280008, "IS", std::to_string(frames.size()));
  e.number(0x00280010, int(s[1])), e.number(0x00280011, int(s[2]));
  e.number(0x00280100, 1), e.number(0x00280101, 1), e.number(0x00280102, 0), e.number(0x00280103, 0);
  e.text(0x00282110, "CS", "00");
  e.text(0x00620001, "CS", "BINARY");
  std::vector<std::string> items;
  for (const auto& [value, name] : segments) items.push_back(segment_item(value, name));
  e.sequence(0x00620002, items);
  e.text(0x00620013, "CS", "NO");
  e.text(0x00700080, "CS", "SEGMENTATION"), e.text(0x00700081, "LO", ""), e.text(0x00700084, "PN", "");
  items.clear();
  for (const Frame& f : frames) items.push_back(frame_item(f, g, from));
  e.sequence(0x52009229, {shared_item(g, spacing)});
  e.sequence(0x52009230, items);
  e.bytes(0x7fe00010, "OB", bits.data(), bits.size());
  AtomicFile file(path);
  file.write(dicom_file_of(kClass, instance, kExplicitLittle, e));
  file.commit();
}

}  // namespace voxgrad
