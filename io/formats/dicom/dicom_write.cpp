// DICOM series, written plainly: PS3.10 files in explicit little-endian VRs, one per slice, of the CT, MR or PET Image Storage class.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "io/atomic_file.h"
#include "io/formats/dicom/element_writer.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
using dicom::decimal;
using dicom::decimals;
using dicom::Elements;
using dicom::hash;
using dicom::own_uid;
constexpr const char* kExplicitLittleEndian = "1.2.840.10008.1.2.1";
struct StorageClass {
  const char *modality, *uid;
};
constexpr StorageClass kClasses[] = {
    {"CT", "1.2.840.10008.5.1.4.1.1.2"}, {"MR", "1.2.840.10008.5.1.4.1.1.4"}, {"PT", "1.2.840.10008.5.1.4.1.1.128"}};
constexpr size_t kLongestText = 64;
// What PET requires and nobody knows.
constexpr const char *kNoDate = "19000101", *kNoTime = "000000";

const StorageClass* class_of(const std::string& modality) {
  const auto* at = std::find_if(std::begin(kClasses), std::end(kClasses), [&](auto& c) { return modality == c.modality; });
  return at == std::end(kClasses) ? nullptr : at;
}

std::array<double, 3> unit_axis(const double (&axis)[3], double length) { return {axis[0] / length, axis[1] / length, axis[2] / length}; }

// What is written for a voxel, v: slope v + intercept is its value.
struct Voxels {
  Tensor data;
  bool is_signed = false;
  double slope = 1, intercept = 0;
  int bits() const { return data.dtype() == DType::u8 ? 8 : 16; }
};

struct WrittenSeries {
  const DicomOptions& options;
  LpsGeometry geometry;
  Vec3 spacing;  // {d, h, w}
  int rows, columns;
  int64_t slices;
  const Voxels& voxels;
  uint64_t content;
};

std::string slice_file(const WrittenSeries& s, int64_t number, const char* pixels, size_t size) {
  const char* storage = class_of(s.options.modality)->uid;
  const std::string instance = own_uid(s.content, 16 + uint64_t(number));
  const auto row = unit_axis(s.geometry.axis[0], s.spacing[2]), column = unit_axis(s.geometry.axis[1], s.spacing[1]);
  double at[3];
  for (int r = 0; r < 3; ++r) at[r] = s.geometry.origin[r] + double(number) * s.geometry.axis[2][r];

  Elements e;
  const bool ct = s.options.modality == "CT", mr = s.options.modality == "MR", pet = s.options.modality == "PT";
  e.text(0x00080008, "CS", ct ? "DERIVED\\SECONDARY\\AXIAL" : mr ? "DERIVED\\SECONDARY\\OTHER" : "DERIVED\\SECONDARY");
  e.text(0x00080016, "UI", storage);
  e.text(0x00080018, "UI", instance);
  e.text(0x00080020, "DA", "");
  if (pet) e.text(0x00080021, "DA", kNoDate), e.text(0x00080022, "DA", kNoDate);
  e.text(0x00080030, "TM", "");
  if (pet) e.text(0x00080031, "TM", kNoTime), e.text(0x00080032, "TM", kNoTime);
  e.text(0x00080050, "SH", "");
  e.text(0x00080060, "CS", s.options.modality);
  e.text(0x00080070, "LO", "voxgrad");
  e.text(0x00080090, "PN", "");
  e.text(0x0008103e, "LO", s.options.description);
  e.text(0x00100010, "PN", s.options.patient);
  e.text(0x00100020, "LO", s.options.patient);
  e.text(0x00100030, "DA", ""), e.text(0x00100040, "CS", "");
  if (mr) e.text(0x00180020, "CS", "RM"), e.text(0x00180021, "CS", "NONE"), e.text(0x00180022, "CS", ""), e.text(0x00180023, "CS", "");
  e.text(0x00180050, "DS", decimal(s.spacing[0]));
  if (ct) e.text(0x00180060, "DS", "");
  if (mr) e.text(0x00180080, "DS", ""), e.text(0x00180081, "DS", ""), e.text(0x00180091, "IS", "");
  if (pet) e.text(0x00181181, "CS", "NONE"), e.text(0x00181242, "IS", "0");
  e.text(0x00185100, "CS", "");
  e.text(0x0020000d, "UI", own_uid(s.content, 1)), e.text(0x0020000e, "UI", own_uid(s.content, 2));
  e.text(0x00200010, "SH", ""), e.text(0x00200011, "IS", "1"), e.text(0x00200012, "IS", "");
  e.text(0x00200013, "IS", std::to_string(number + 1));
  e.text(0x00200032, "DS", decimals({at[0], at[1], at[2]}));
  e.text(0x00200037, "DS", decimals({row[0], row[1], row[2], column[0], column[1], column[2]}));
  e.text(0x00200052, "UI", own_uid(s.content, 3)), e.text(0x00200060, "CS", ""), e.text(0x00201040, "LO", "");
  e.number(0x00280002, 1), e.text(0x00280004, "CS", "MONOCHROME2");
  e.number(0x00280010, s.rows), e.number(0x00280011, s.columns);
  e.text(0x00280030, "DS", decimals({s.spacing[1], s.spacing[2]}));
  if (pet) e.text(0x00280051, "CS", "");
  const Voxels& v = s.voxels;
  e.number(0x00280100, v.bits()), e.number(0x00280101, v.bits()), e.number(0x00280102, v.bits() - 1), e.number(0x00280103, v.is_signed);
  if (!mr || v.slope != 1 || v.intercept != 0) e.text(0x00281052, "DS", decimal(v.intercept)), e.text(0x00281053, "DS", decimal(v.slope));
  if (!ct && (pet || v.slope != 1 || v.intercept != 0)) e.text(0x00281054, "LO", "US");  // not specified
  if (pet) {
    e.sequence(0x00540016, {});
    e.number(0x00540081, int(s.slices));
    e.text(0x00541000, "CS", "STATIC\\IMAGE"), e.text(0x00541001, "CS", "NONE"), e.text(0x00541002, "CS", "EMISSION");
    e.text(0x00541102, "CS", "NONE"), e.text(0x00541300, "DS", "0");
    e.number(0x00541330, int(number) + 1);
  }
  e.bytes(0x7fe00010, "OW", pixels, size);
  return dicom::dicom_file_of(storage, instance, kExplicitLittleEndian, e);
}

template <class Out>
Tensor converted(const Tensor& t, const std::function<Out(double)>& f) {
  Tensor out = Tensor::empty(t.shape(), DType::i16);
  auto* to = out.view().as<Out>();
  on_any_dtype(t.dtype(), [&]<class T>() {
    const T* from = t.view().as<T>();
    for (int64_t i = 0; i < t.count(); ++i) to[i] = f(double(from[i]));
  });
  return out;
}

// In 8 or 16 bits: as they are where that is possible; numbers of f32 that are not whole in 65536 steps from the least to the largest.
Voxels stored_voxels(const Tensor& t, const fs::path& folder) {
  if (t.dtype() == DType::u8) return {t};
  if (t.dtype() == DType::i16) return {t, true};
  double least = 0, most = 0;
  bool whole = true, finite = true;
  on_any_dtype(t.dtype(), [&]<class T>() {
    const T* x = t.view().as<T>();
    least = most = double(x[0]);
    for (int64_t i = 0; i < t.count(); ++i) {
      const auto v = double(x[i]);
      least = std::min(least, v), most = std::max(most, v);
      finite = finite && std::isfinite(v), whole = whole && v == std::floor(v);
    }
  });
  check(finite, "cannot write ", folder.string(), ": ", t, " has values that are not finite, which DICOM cannot say");
  if (whole && least >= 0 && most <= 0xffff) return {converted<uint16_t>(t, [](double v) { return uint16_t(v); })};
  if (whole && least >= -32768 && most <= 32767) return {converted<int16_t>(t, [](double v) { return int16_t(v); }), true};
  check(is_floating(t.dtype()), "cannot write ", folder.string(), ": the values ", least, " to ", most, " do not fit 16 bits");
  // As they are written, so that they are read back by the same numbers.
  const double intercept = std::strtod(decimal(least).c_str(), nullptr);
  const double step = std::strtod(decimal((most - intercept) / 0xffff).c_str(), nullptr), slope = step > 0 ? step : 1;
  const auto nearest = [=](double v) { return uint16_t(std::clamp(std::floor((v - intercept) / slope + 0.5), 0.0, 65535.0)); };
  return {converted<uint16_t>(t, nearest), false, slope, intercept};
}
}  // namespace

void write_dicom(const fs::path& folder, const Volume& volume, const DicomOptions& options) {
  const Shape& s = volume.data.shape();
  const DType t = volume.data.dtype();
  check(s.count() > 0 && (s.rank == 3 || (s.rank == 4 && s[3] == 1)), "cannot write ", folder.string(), ": ", volume.data,
        ", wanted {D, H, W} or {D, H, W, 1}");
  check(t == DType::u8 || t == DType::i16 || t == DType::i32 || t == DType::f32, "cannot write ", folder.string(), ": ", volume.data,
        ", wanted u8, i16, i32 or f32");
  check(s[1] <= 0xffff && s[2] <= 0xffff, "cannot write ", folder.string(), ": slices of ", s[1], " x ", s[2], ", 65535 is the most");
  check(class_of(options.modality), "cannot write ", folder.string(), ": the modality \"", options.modality, "\" is none of CT, MR, PT");
  for (const std::string& text : {options.description, options.patient})
    check(text.size() <= kLongestText && text.find('\\') == text.npos, "cannot write ", folder.string(), ": \"", text,
          "\" is longer than 64 or has a \\");
  check(volume.affine.is_valid(), "cannot write ", folder.string(), ": its affine is not finite or not invertible");
  const LpsGeometry g = lps_of(volume.affine);
  const Vec3 spacing = volume.affine.spacing();
  double skew = 0;
  for (int r = 0; r < 3; ++r) skew += g.axis[0][r] * g.axis[1][r] / (spacing[1] * spacing[2]);
  check(std::abs(skew) < 1e-4, "cannot write ", folder.string(), ": its rows and columns are not at right angles, which DICOM cannot say");

  const Voxels voxels = stored_voxels(volume.data.detach().to(Device{}), folder);
  const Tensor& data = voxels.data;
  uint64_t content = hash(data.view().data, data.bytes());
  for (auto& row : volume.affine.m) content = hash(row.data(), sizeof row, content);
  content = hash(options.description.data(), options.description.size(), content);
  content = hash(options.modality.data(), options.modality.size(), content);
  const WrittenSeries series{options, g, spacing, int(s[1]), int(s[2]), s[0], voxels, content};
  const size_t slice = data.bytes() / size_t(s[0]);
  AtomicFolder target(folder);
  for (int64_t k = 0; k < s[0]; ++k) {
    char name[32];
    std::snprintf(name, sizeof name, "slice_%05lld.dcm", static_cast<long long>(k + 1));
    write_text_file(target.temporary() / name, slice_file(series, k, data.view().as<char>() + size_t(k) * slice, slice));
  }
  target.commit();
}

}  // namespace voxgrad
