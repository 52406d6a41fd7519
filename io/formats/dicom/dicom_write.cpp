// DICOM series, written plainly: PS3.10 files in explicit little-endian VRs, one per slice, of the CT or MR Image Storage class.
#include <cmath>
#include <cstdio>

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
constexpr const char* kClassOfCt = "1.2.840.10008.5.1.4.1.1.2";
constexpr const char* kClassOfMr = "1.2.840.10008.5.1.4.1.1.4";

std::array<double, 3> unit(const double (&axis)[3], double length) { return {axis[0] / length, axis[1] / length, axis[2] / length}; }

struct Series {
  const DicomOptions& options;
  LpsGeometry geometry;
  Vec3 spacing;  // {d, h, w}
  int rows, columns, bits;
  bool is_signed;
  uint64_t content;
};

std::string slice_file(const Series& s, int64_t number, const char* pixels, size_t size) {
  const char* storage = s.options.modality == "CT" ? kClassOfCt : kClassOfMr;
  const std::string instance = own_uid(s.content, 16 + uint64_t(number));
  const auto row = unit(s.geometry.axis[0], s.spacing[2]), column = unit(s.geometry.axis[1], s.spacing[1]);
  double at[3];
  for (int r = 0; r < 3; ++r) at[r] = s.geometry.origin[r] + double(number) * s.geometry.axis[2][r];

  Elements e;
  const bool ct = storage == kClassOfCt;
  e.text(0x00080008, "CS", ct ? "DERIVED\\SECONDARY\\AXIAL" : "DERIVED\\SECONDARY\\OTHER");
  e.text(0x00080016, "UI", storage);
  e.text(0x00080018, "UI", instance);
  for (const auto& [tag, vr] : {std::pair(0x00080020, "DA"), {0x00080030, "TM"}, {0x00080050, "SH"}}) e.text(tag, vr, "");
  e.text(0x00080060, "CS", s.options.modality);
  e.text(0x00080070, "LO", "voxgrad");
  e.text(0x00080090, "PN", "");
  e.text(0x0008103e, "LO", s.options.description);
  e.text(0x00100010, "PN", s.options.patient);
  e.text(0x00100020, "LO", s.options.patient);
  e.text(0x00100030, "DA", ""), e.text(0x00100040, "CS", "");
  if (!ct) e.text(0x00180020, "CS", "RM"), e.text(0x00180021, "CS", "NONE"), e.text(0x00180022, "CS", ""), e.text(0x00180023, "CS", "");
  e.text(0x00180050, "DS", decimal(s.spacing[0]));
  if (ct) e.text(0x00180060, "DS", "");
  else e.text(0x00180080, "DS", ""), e.text(0x00180081, "DS", ""), e.text(0x00180091, "IS", "");
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
  e.number(0x00280100, s.bits), e.number(0x00280101, s.bits), e.number(0x00280102, s.bits - 1), e.number(0x00280103, s.is_signed);
  if (ct) e.text(0x00281052, "DS", "0"), e.text(0x00281053, "DS", "1");
  e.bytes(0x7fe00010, "OW", pixels, size);
  return dicom::dicom_file_of(storage, instance, kExplicitLittleEndian, e);
}

// i32 within 16 bits, as u16.
Tensor narrowed(const Tensor& t, const fs::path& folder) {
  Tensor out = Tensor::empty(t.shape(), DType::i16);
  const auto from = t.data<int32_t>();
  auto* to = out.view().as<uint16_t>();
  for (size_t i = 0; i < from.size(); ++i) {
    check(from[i] >= 0 && from[i] <= 0xffff, "cannot write ", folder.string(), ": the value ", from[i], " does not fit 16 bits");
    to[i] = uint16_t(from[i]);
  }
  return out;
}
}  // namespace

void write_dicom(const fs::path& folder, const Volume& volume, const DicomOptions& options) {
  const Shape& s = volume.data.shape();
  const DType t = volume.data.dtype();
  check(s.count() > 0 && (s.rank == 3 || (s.rank == 4 && s[3] == 1)), "cannot write ", folder.string(), ": ", volume.data,
        ", wanted {D, H, W} or {D, H, W, 1}");
  check(t == DType::u8 || t == DType::i16 || t == DType::i32, "cannot write ", folder.string(), ": ", volume.data,
        ", wanted u8, i16, or i32 from 0 to 65535");
  check(s[1] <= 0xffff && s[2] <= 0xffff, "cannot write ", folder.string(), ": slices of ", s[1], " x ", s[2], ", 65535 is the most");
  check(options.modality == "CT" || options.modality == "MR", "cannot write ", folder.string(), ": the modality \"", options.modality,
        "\" is neither CT nor MR");
  for (const std::string& text : {options.description, options.patient})
    check(text.size() <= 64 && text.find('\\') == text.npos, "cannot write ", folder.string(), ": \"", text,
          "\" is longer than 64 or has a \\");
  check(volume.affine.is_valid(), "cannot write ", folder.string(), ": its affine is not finite or not invertible");
  const LpsGeometry g = lps_of(volume.affine);
  const Vec3 spacing = volume.affine.spacing();
  double skew = 0;
  for (int r = 0; r < 3; ++r) skew += g.axis[0][r] * g.axis[1][r] / (spacing[1] * spacing[2]);
  check(std::abs(skew) < 1e-4, "cannot write ", folder.string(), ": its rows and columns are not at right angles, which DICOM cannot say");

  Tensor data = volume.data.detach().to(Device{});
  if (t == DType::i32) data = narrowed(data, folder);
  uint64_t content = hash(data.view().data, data.bytes());
  for (auto& row : volume.affine.m) content = hash(row.data(), sizeof row, content);
  content = hash(options.description.data(), options.description.size(), content);
  const Series series{options, g, spacing, int(s[1]), int(s[2]), t == DType::u8 ? 8 : 16, t == DType::i16, content};
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
