// TIFF, PNG, JPEG and BMP files as volumes. What they say of dots per inch is no spacing: their pixels are 1 mm wide. So are those of TIFF
// files, unless "spacing" of a JSON file beside it says otherwise, as nnU-Net has it, or ImageJ, OME or dots per centimetre do. JPEG is
// turned as its Exif segment says: so viewers show it, and so masks are drawn. ITK reads JPEG and BMP; of TIFF it would make four channels
// where there are tiles, single bits and much else.
#ifdef VOXGRAD_WITH_ITK
#include <algorithm>
#include <cstring>

#include "core/config/json_values.h"
#include "io/formats/foreign.h"
#include "io/formats/jpeg_orientation.h"
#include "io/formats/tiff/tiff_axes.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
Foreign format_of(const fs::path& path) {
  const std::string ending = volume_extension(path);
  return ending == ".png" ? Foreign::png : ending == ".bmp" ? Foreign::bmp : ending[1] == 'j' ? Foreign::jpeg : Foreign::tiff;
}

// case.json of case.tif, and of case_0000.tif, the channel of a case; empty where there is none.
fs::path spacing_file(const fs::path& path) {
  const std::string ending = volume_extension(path), name = path.filename().string(), stem = name.substr(0, name.size() - ending.size());
  const size_t n = stem.size();
  const bool numbered = n > 5 && stem[n - 5] == '_' && stem.find_first_not_of("0123456789", n - 4) == stem.npos;
  for (const std::string& one : {stem, numbered ? stem.substr(0, n - 5) : stem})
    if (const fs::path file = path.parent_path() / (one + ".json"); fs::is_regular_file(file)) return file;
  return {};
}

// {"spacing": [d, h, w]}, in mm; false where there is none.
bool set_spacing(LpsGeometry& g, const fs::path& file) {
  const Json json = read_json(file);
  const bool given = json.is_object() && json.contains("spacing");
  if (!given) return false;
  const Json& mm = json["spacing"];
  bool good = mm.is_array() && mm.size() == 3;
  for (size_t a = 0; good && a < 3; ++a) good = mm[a].is_number() && mm[a].get<double>() > 0 && mm[a].get<double>() < 1e9;
  check(good, file.string(), ": its \"spacing\" is ", mm.dump().substr(0, 60), ", wanted three numbers of mm: depth, height, width");
  g = {};
  for (size_t a = 0; a < 3; ++a) g.axis[a][a] = mm[2 - a].get<double>();
  return true;
}

// The most that the packing of a TIFF file is believed to reach.
constexpr uint64_t kMostCompression = 2000;

// Red, green and blue of each index, the upper 8 bits of them.
std::vector<std::byte> coloured(const std::vector<std::byte>& indices, const std::vector<uint16_t>& colours) {
  const size_t count = colours.size() / 3;
  std::vector<std::byte> out(indices.size() * 3);
  for (size_t i = 0; i < indices.size(); ++i)
    for (size_t c = 0; c < 3; ++c) out[3 * i + c] = std::byte(colours[c * count + size_t(indices[i])] >> 8);
  return out;
}

std::string packing_of(const TiffPage& p) {
  switch (p.compression) {
    case 2:
    case 3:
    case 4: return "as a fax (CCITT)";
    case 6:
    case 7: return "as JPEG";
    case 34712:
    case 33003:
    case 33005: return "as JPEG 2000";
    case 34887: return "by LERC";
    case 34925: return "by LZMA";
    case 50000: return "by Zstandard";
    case 50001: return "as WebP";
    default: return "by compression " + std::to_string(p.compression);
  }
}

// Pages of pixels {page, H, W, samples} as {slice, H, W, channel}, where they are in another order.
void arrange(Decoded& d, const TiffAxes& axes) {
  if (axes.channels == 1) return;
  const size_t page = d.pixels.size() / axes.slice.size(), size = size_t(size_of(d.layout.stored));
  std::vector<std::byte> out(d.pixels.size());
  for (size_t n = 0; n < axes.slice.size(); ++n)
    for (size_t i = 0; i < page / size; ++i) {
      const size_t voxel = size_t(axes.slice[n]) * (page / size) + i;
      std::memcpy(&out[(voxel * size_t(axes.channels) + size_t(axes.channel[n])) * size], &d.pixels[n * page + i * size], size);
    }
  d.pixels = std::move(out);
}

// ITK's pixels where they are packed in a way that is left to it: only if they are what the directory says.
Decoded decode_by_itk(const fs::path& path, const std::vector<TiffPage>& pages, Part part, bool indices) {
  const TiffPage& p = pages[0];
  const std::string advice =
      path.string() + ": its pixels are packed " + packing_of(p) + ", which is not read; save it with LZW or deflate";
  check(p.bits >= 8, advice);
  Decoded d;
  try {
    d = decode(Foreign::tiff, {path}, part, indices)[0];
  } catch (const Error& e) { fail(advice, " (", e.what(), ")"); }
  const auto& size = d.layout.size;
  check(size[0] == int64_t(pages.size()) && size[1] == p.height && size[2] == p.width && d.layout.channels == p.samples &&
            d.layout.stored == p.stored,
        advice);
  d.geometry = {};
  return d;
}

Decoded decode_tiff(const fs::path& path, Part part, bool indices) {
  ByteSource source(path, ByteSource::Coding::plain);
  const std::vector<TiffPage> pages = tiff_pages(source);
  const TiffAxes axes = tiff_axes(pages, path.string());
  const TiffPage& p = pages[0];
  Decoded d{.layout = {.format = "TIFF", .size = {int64_t(pages.size()), p.height, p.width}, .channels = p.samples, .stored = p.stored}};
  if (!std::all_of(pages.begin(), pages.end(), tiff_is_read)) {
    d = decode_by_itk(path, pages, part, indices);
  } else {
    d.layout.validate(path.string());
    check(d.layout.bytes() / kMostCompression <= source.file_size(), path.string(), ": the header announces ", d.layout.bytes(),
          " bytes of voxels, but the file has ", source.file_size(), " bytes");
    const bool palette = p.photometric == 3 && p.samples == 1 && p.bits <= 8 && p.colours.size() == size_t(3) << p.bits && !indices;
    if (part == Part::all) d.pixels = tiff_pixels(source, pages);
    if (palette && part == Part::all) d.pixels = coloured(d.pixels, p.colours);
    if (palette) d.layout.channels = 3;
  }
  check(axes.channels == 1 || d.layout.channels == 1, path.string(), ": has several images of colours in one place; save one alone");
  arrange(d, axes);
  if (axes.channels > 1) d.layout.channels = axes.channels;
  d.layout.size[0] = axes.slices;
  for (int a = 0; a < 3; ++a)
    if (axes.step[a] > 0) d.geometry.axis[a][a] = axes.step[a];
  d.unit = axes.unit, d.warning = axes.warning;
  if (d.warning.empty() && axes.slices > 1 && axes.step[2] == 0)
    d.warning = "it does not say how far its slices lie apart; 1 mm is assumed (a .json beside it with \"spacing\" says otherwise)";
  return d;
}

Decoded decode_picture(const fs::path& path, Part part, bool indices) {
  if (format_of(path) == Foreign::tiff) return decode_tiff(path, part, indices);
  if (format_of(path) == Foreign::png) return decode_png(path, part, indices);
  Decoded d = decode(format_of(path), {path}, part, indices)[0];
  check(format_of(path) != Foreign::jpeg || d.layout.channels == 1 || d.layout.channels == 3, path.string(), ": is a JPEG of ",
        d.layout.channels, " colours (CMYK); 1 and 3 are read: save it as RGB");
  return d;
}

void set_geometry(Decoded& d, const fs::path& path) {
  if (format_of(path) != Foreign::tiff) d.geometry = {};
  else if (const fs::path file = spacing_file(path); !file.empty() && set_spacing(d.geometry, file))
    d.unit = LengthUnit::millimetre, d.warning.clear();
}

}  // namespace

VolumeHeader picture_header(const fs::path& path, const ReadOptions& options) {
  Decoded d = decode_picture(path, Part::header, options.labels);
  set_geometry(d, path);
  if (format_of(path) == Foreign::jpeg && jpeg_orientation(path).axis[1] == 2) std::swap(d.layout.size[1], d.layout.size[2]);
  VolumeHeader h = header_of(d.layout, affine_from_lps(d.geometry));
  h.unit = d.unit, h.warning = d.warning;
  return h;
}

Volume read_picture(const fs::path& path, const ReadOptions& options) {
  Decoded d = decode_picture(path, Part::all, options.labels);
  set_geometry(d, path);
  Tensor pixels = convert_voxels(d.pixels, d.layout, path.string());
  if (format_of(path) == Foreign::jpeg) pixels = to_canonical(pixels, jpeg_orientation(path));
  return {pixels, affine_from_lps(d.geometry), d.unit};
}

void write_picture(const fs::path& path, const Volume& v, Stored wanted) {
  const Shape& s = v.data.shape();
  const DType t = v.data.dtype();
  const Foreign format = format_of(path);
  const bool tiff = format == Foreign::tiff, wide = wanted == Stored::u16 && (tiff || format == Foreign::png);
  const Stored stored = wide ? wanted : stored_as(t);
  check(wide || t == DType::u8 || (tiff && (t == DType::i16 || t == DType::f32)), "cannot write ", path.string(), ": ", v.data,
        ", wanted u8", tiff ? ", i16 or f32" : "", tiff || format == Foreign::png ? ", or u16 as it came from a file" : "");
  check((tiff || s[0] == 1) && (s[3] == 1 || s[3] == 3), "cannot write ", path.string(), ": ", v.data, ", wanted ",
        tiff ? "" : "one slice of ", "1 or 3 channels");
  AtomicFile file(path);
  bool same = false;
  try {
    std::vector<std::byte> scratch;
    const auto pixels = bytes_of(v.data, stored, scratch);
    encode(format, file.temporary(), s, stored, pixels);
    // ITK does not report every failure to write: what was written must read back.
    const Decoded back = decode_picture(file.temporary(), Part::all, false);
    same = back.layout.shape() == s && back.layout.stored == stored &&
           (format == Foreign::jpeg || std::memcmp(back.pixels.data(), pixels.data(), pixels.size()) == 0);
  } catch (const Error& e) { fail("cannot write ", path.string(), ": ", e.what()); }
  check(same, "cannot write ", path.string(), ": it does not read back as it was written; is the disk full?");
  if (const Vec3 mm = v.affine.spacing(); tiff && mm != Vec3{1, 1, 1})
    write_json(fs::path(path).replace_extension(".json"), Json{{"spacing", {mm[0], mm[1], mm[2]}}});
  file.commit();
}

}  // namespace voxgrad
#endif
