// TIFF, PNG, JPEG and BMP files as volumes. What they say of dots per inch is no spacing: their pixels are 1 mm wide. So are those of TIFF
// files, unless "spacing" of a JSON file beside it says otherwise, as nnU-Net has it, or dots per centimetre do. ITK reads the pixels of
// all but TIFF: its reader makes four channels of tiles, of single bits and of much else.
#ifdef VOXGRAD_WITH_ITK
#include <cstring>
#include <optional>

#include <nlohmann/json.hpp>

#include "io/formats/foreign.h"
#include "io/formats/tiff/tiff.h"
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

// {"spacing": [d, h, w]}, in mm.
void set_spacing(LpsGeometry& g, const fs::path& file) {
  const Json json = read_json(file);
  const bool given = json.is_object() && json.contains("spacing");
  if (!given) return;
  const Json& mm = json["spacing"];
  bool good = mm.is_array() && mm.size() == 3;
  for (size_t a = 0; good && a < 3; ++a) good = mm[a].is_number() && mm[a].get<double>() > 0 && mm[a].get<double>() < 1e9;
  check(good, file.string(), ": its \"spacing\" is ", mm.dump().substr(0, 60), ", wanted three numbers of mm: depth, height, width");
  g = {};
  for (size_t a = 0; a < 3; ++a) g.axis[a][a] = mm[2 - a].get<double>();
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

// Empty where its pixels are packed in a way that is left to ITK.
std::optional<Decoded> decode_tiff(const fs::path& path, Part part, bool indices) {
  ByteSource source(path, ByteSource::Coding::plain);
  const std::vector<TiffPage> pages = tiff_pages(source);
  const TiffPage& p = pages[0];
  for (auto& page : pages)
    if (!tiff_is_read(page)) return {};
  Decoded d{.layout = {.format = "TIFF", .size = {int64_t(pages.size()), p.height, p.width}, .channels = p.samples, .stored = p.stored}};
  d.layout.validate(path.string());
  check(d.layout.bytes() / kMostCompression <= source.file_size(), path.string(), ": the header announces ", d.layout.bytes(),
        " bytes of voxels, but the file has ", source.file_size(), " bytes");
  d.geometry.axis[0][0] = p.step[0];
  d.geometry.axis[1][1] = p.step[1];
  const bool palette = p.photometric == 3 && p.samples == 1 && p.bits <= 8 && p.colours.size() == size_t(3) << p.bits && !indices;
  if (part == Part::all) d.pixels = tiff_pixels(source, pages);
  if (palette && part == Part::all) d.pixels = coloured(d.pixels, p.colours);
  if (palette) d.layout.channels = 3;
  return d;
}

Decoded decode_picture(const fs::path& path, Part part, bool indices) {
  if (format_of(path) == Foreign::tiff)
    if (auto d = decode_tiff(path, part, indices)) return std::move(*d);
  return decode(format_of(path), {path}, part, indices)[0];
}

void set_geometry(Decoded& d, const fs::path& path) {
  if (format_of(path) != Foreign::tiff) d.geometry = {};
  else if (const fs::path file = spacing_file(path); !file.empty()) set_spacing(d.geometry, file);
}

// Bits of a pixel of a grey PNG file: below 8 they come as 0 .. 255.
int grey_bits(const fs::path& path) {
  unsigned char head[26] = {};
  ByteSource source(path, ByteSource::Coding::plain);
  return source.read_some(head, sizeof head) == sizeof head && head[25] == 0 ? head[24] : 8;
}
}  // namespace

VolumeHeader picture_header(const fs::path& path, const ReadOptions& options) {
  Decoded d = decode_picture(path, Part::header, options.labels);
  set_geometry(d, path);
  return header_of(d.layout, affine_from_lps(d.geometry));
}

Volume read_picture(const fs::path& path, const ReadOptions& options) {
  Decoded d = decode_picture(path, Part::all, options.labels);
  set_geometry(d, path);
  if (options.labels && format_of(path) == Foreign::png)
    if (const int bits = grey_bits(path); bits < 8)
      for (std::byte& b : d.pixels) b = std::byte(int(b) * ((1 << bits) - 1) / 255);
  return {convert_voxels(d.pixels, d.layout, path.string()), affine_from_lps(d.geometry)};
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
