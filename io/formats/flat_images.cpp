// TIFF, PNG and JPEG files as volumes.
#ifdef VOXGRAD_WITH_ITK
#include <cstring>

#include "io/formats/foreign.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
Foreign format_of(const fs::path& path) {
  const std::string ending = volume_extension(path);
  return ending == ".png" ? Foreign::png : ending[1] == 'j' ? Foreign::jpeg : Foreign::tiff;
}
}  // namespace

VolumeHeader picture_header(const fs::path& path) {
  const Decoded d = decode(format_of(path), {path}, Part::header)[0];
  return header_of(d.layout, affine_from_lps(d.geometry));
}

Volume read_picture(const fs::path& path) {
  const Decoded d = decode(format_of(path), {path}, Part::all)[0];
  return {convert_voxels(d.pixels, d.layout, path.string()), affine_from_lps(d.geometry)};
}

void write_picture(const fs::path& path, const Volume& v) {
  const Shape& s = v.data.shape();
  const DType t = v.data.dtype();
  const Foreign format = format_of(path);
  const bool tiff = format == Foreign::tiff;
  check(t == DType::u8 || (tiff && (t == DType::i16 || t == DType::f32)), "cannot write ", path.string(), ": ", v.data, ", wanted u8",
        tiff ? ", i16 or f32" : "");
  check((tiff || s[0] == 1) && (s[3] == 1 || s[3] == 3), "cannot write ", path.string(), ": ", v.data, ", wanted ",
        tiff ? "" : "one slice of ", "1 or 3 channels");
  AtomicFile file(path);
  bool same = false;
  try {
    encode(format, file.temporary(), v.data);
    // ITK does not report every failure to write: what was written must read back.
    const Tensor back = read_picture(file.temporary()).data;
    same = back.shape() == s && back.dtype() == t &&
           (format == Foreign::jpeg || std::memcmp(back.view().data, v.data.view().data, v.data.bytes()) == 0);
  } catch (const Error& e) { fail("cannot write ", path.string(), ": ", e.what()); }
  check(same, "cannot write ", path.string(), ": it does not read back as it was written; is the disk full?");
  file.commit();
}

}  // namespace voxgrad
#endif
