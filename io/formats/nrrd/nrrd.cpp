// NRRD files (teem.sourceforge.net/nrrd/format.html): raw, gzip and text encodings, attached or in one or more files.
#include <algorithm>
#include <map>

#include "io/formats/nrrd/nrrd_header.h"
#include "io/formats/pieces.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
Tensor read_text(ByteSource& source, const VoxelLayout& v) {
  source.expect(uint64_t(v.shape().count()) * 2 - 1, "numbers in text");
  std::string text(size_t(source.at_most()), '\0');
  source.read(text.data(), text.size());
  std::replace(text.begin(), text.end(), ',', ' ');
  const auto values = numbers<double>(text, source.name() + ": a voxel");
  check(int64_t(values.size()) == v.shape().count(), source.name(), ": has ", values.size(), " numbers, wanted ", v.shape().count());
  const Bounds held = range_of(v.stored), kept = range_of(stored_as(v.dtype()));
  for (double x : values) {
    const Stored wanted = held.holds(x) ? stored_as(v.dtype()) : v.stored;
    check(held.holds(x) && kept.holds(x), source.name(), ": the voxel ", exact(x), " is no ", name_of(wanted));
  }
  return Tensor::from(std::span(values), v.shape()).to(v.dtype());
}

Tensor read_data(ByteSource& source, const NrrdHeader& h) {
  std::string line;
  for (int64_t i = 0; i < h.line_skip; ++i)
    check(source.read_line(line), source.name(), ": ends within the ", h.line_skip, " lines to skip");
  if (h.encoding[0] == 'a' || h.encoding[0] == 't') return read_text(source, h.layout);
  const uint64_t bytes = h.layout.bytes();
  if (h.encoding == "raw") {
    source.expect(bytes + uint64_t(std::max<int64_t>(0, h.byte_skip)), "voxels");
    if (h.byte_skip < 0) source.seek(source.file_size() - bytes, false);
    else source.skip(uint64_t(h.byte_skip));
    return read_voxels(source, h.layout);
  }
  source.seek(source.position(), true);
  if (h.byte_skip >= 0) {
    source.skip(uint64_t(h.byte_skip));
    return read_voxels(source, h.layout);
  }
  // The voxels are the last bytes of what is compressed, whose length only reading it tells.
  source.expect(bytes, "voxels");
  std::vector<std::byte> all(size_t(bytes) + (1 << 20));
  size_t held = 0;
  for (uint64_t got; (got = source.read_some(all.data() + held, all.size() - held)) > 0;) {
    held += size_t(got);
    if (held < all.size()) continue;
    std::copy(all.end() - std::ptrdiff_t(bytes), all.end(), all.begin());
    held = size_t(bytes);
  }
  check(held >= bytes, source.name(), ": ends too early: ", bytes - held, " of ", bytes, " bytes are missing");
  return convert_voxels(std::span(all).subspan(held - bytes, bytes), h.layout, source.name());
}
}  // namespace

bool is_nrrd(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  char magic[7] = {};
  return source.read_some(magic, 7) == 7 && std::string_view(magic, 7) == "NRRD000";
}

VolumeHeader nrrd_header(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const NrrdHeader h = parse_nrrd(source);
  VolumeHeader out = header_of(h.layout, h.affine);
  out.unit = h.unit;
  out.warning = h.warning;
  return out;
}

Volume read_nrrd(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const NrrdHeader h = parse_nrrd(source);
  if (h.data_file.empty()) return {read_data(source, h), h.affine, h.unit};
  if (const auto files = piece_files(source, h.data_file); !files.empty()) {
    const bool gzip = h.encoding[0] == 'g';
    check((gzip || h.encoding == "raw") && h.line_skip == 0 && !(gzip && h.byte_skip < 0), source.name(),
          ": voxels in several files are read raw or gzip and without lines to skip");
    return {read_pieces(files, h.layout, h.byte_skip, gzip, source.name()), h.affine, h.unit};
  }
  ByteSource data(detached_file(path, h.data_file), ByteSource::Coding::plain);
  return {read_data(data, h), h.affine, h.unit};
}

void write_nrrd(const fs::path& path, const Volume& v, Stored stored) {
  const Shape& s = v.data.shape();
  const bool vector = s[3] > 1;
  LpsGeometry g = lps_of(v.affine);
  if (v.unit != LengthUnit::millimetre) {
    const double in_mm = millimetres(v.unit);
    for (int r = 0; r < 3; ++r) {
      g.origin[r] /= in_mm;
      for (auto& axis : g.axis) axis[r] /= in_mm;
    }
  }
  const auto vec = [](const double(&p)[3]) { return "(" + exact(p[0]) + "," + exact(p[1]) + "," + exact(p[2]) + ")"; };
  const std::map<Stored, const char*> types = {{Stored::u8, "uint8"},  {Stored::i8, "int8"},    {Stored::u16, "uint16"},
                                               {Stored::i16, "int16"}, {Stored::u32, "uint32"}, {Stored::i32, "int32"},
                                               {Stored::f32, "float"}, {Stored::f64, "double"}};
  std::string text = "NRRD0004\ntype: ";
  text += types.at(stored);
  text += std::string("\ndimension: ") + (vector ? "4" : "3") + "\nspace: left-posterior-superior\nsizes:";
  if (vector) text += " " + std::to_string(s[3]);
  for (int a = 2; a >= 0; --a) text += " " + std::to_string(s[a]);
  text += std::string("\nspace directions:") + (vector ? " none" : "");
  for (auto& axis : g.axis) text += " " + vec(axis);
  if (v.unit != LengthUnit::millimetre) {
    const std::string unit = std::string(" \"") + name_of(v.unit) + "\"";
    text += "\nspace units:" + unit + unit + unit;
  }
  text += std::string("\nkinds:") + (vector ? " list" : "") +
          " domain domain domain\nendian: little\nencoding: gzip\nspace origin: " + vec(g.origin) + "\n\n";
  AtomicFile file(path);
  file.write(text);
  std::vector<std::byte> scratch;
  const std::span<const std::byte> pieces[] = {bytes_of(v.data, stored, scratch)};
  write_deflated(file, pieces, Wrapper::gzip);
  file.commit();
}

}  // namespace voxgrad
